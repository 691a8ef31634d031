"""Names of trackers: unknown ones and missing packages are refused with what to type."""

from importlib import util

import pytest

from clip_hparam.training.callbacks.trackers import registry


def test_unknown_name_is_refused_with_a_similar_one() -> None:
    with pytest.raises(ValueError, match=r"^unknown tracker=tensorbord: did you mean tensorboard"):
        registry.validate_trackers(["tensorbord"])


def test_missing_package_is_refused_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"type pip install 'clip-hparam\[wandb\]'$"):
        registry.tracker_class("wandb")


@pytest.mark.parametrize("name", sorted(registry.TRACKERS))
def test_installed_package_is_accepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "find_spec", lambda package: util.find_spec("json"))
    assert registry.tracker_class(name) is registry.TRACKERS[name]
    assert registry.TRACKERS[name].package == name
