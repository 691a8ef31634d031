"""The zero-shot accuracy of a bundled CLIP is kept by all that its pixels depend on."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torch import Tensor

from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.final import results
from clip_hparam.training.final.results import evaluate_zero_shot


@pytest.fixture
def means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Replace the bundled CLIP, in an empty cache; return the mean pixel of each evaluation."""
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path))
    seen: list[float] = []

    def accuracy(images: Tensor, labels: Tensor, prompts: Any) -> float:
        seen.append(float(images.mean()))
        return 0.5 / len(seen)

    bundled = SimpleNamespace(zero_shot_accuracy=accuracy)
    monkeypatch.setattr(results, "encoder_spec", lambda _: SimpleNamespace(bundled=bundled))
    return seen


def zero_shot(**knobs: Any) -> float:
    recipe = resolve(with_values(Recipe(), knobs))
    state, batches = SimpleNamespace(), SimpleNamespace(recipe=recipe)
    (accuracy,) = evaluate_zero_shot(state, batches).values()  # type: ignore[arg-type]
    return accuracy


@pytest.mark.parametrize(
    "other", [{"augment_backend": "timm"}, {"interpolation": "bilinear"}], ids=str
)
def test_other_pixels_are_evaluated_anew(other: dict[str, Any], means: list[float]) -> None:
    assert [zero_shot(), zero_shot(lr=0.5, seed=1)] == [50.0, 50.0]
    assert [zero_shot(**other), zero_shot(**other), zero_shot()] == [25.0, 25.0, 50.0]
    assert len(means) == 2
