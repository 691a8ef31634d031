"""Entry points of installed packages: what is loaded, and what is left out with a warning."""

import logging
from pathlib import Path

import pytest
from support.plugins import install_fake

from clip_hparam.config.entry_points import load_entry_points

GROUP = "clip_hparam.tests"


def load(taken: frozenset[str] = frozenset()) -> dict[str, int]:
    return load_entry_points(GROUP, lambda value: isinstance(value, int), "a whole number", taken)


def test_objects_are_loaded_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load() == {}
    install_fake(tmp_path, monkeypatch, "VALUE = 3\n", {GROUP: {"three": "VALUE"}})
    assert load() == {"three": 3}


@pytest.mark.parametrize(
    ("code", "target", "reason"),
    [
        ("VALUE = 'text'\n", "VALUE", "is not a whole number"),
        ("raise RuntimeError('no GPU\\nhere')\n", "VALUE", "RuntimeError: no GPU here"),
        ("", "VALUE", "AttributeError"),
        ("VALUE = 3\n", "VALUE", "the name taken is taken: rename it"),
    ],
)
def test_unusable_entry_points_are_left_out_with_one_warning(
    code: str,
    target: str,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    name = "taken" if "taken" in reason else "mine"
    install_fake(tmp_path, monkeypatch, code, {GROUP: {name: target}})
    with caplog.at_level(logging.WARNING):
        assert load(frozenset({"taken"})) == {}
    (warning,) = [one.getMessage() for one in caplog.records]
    assert warning.startswith(f"{name} of {GROUP} in fake-plugin is not used: ")
    assert reason in warning
