"""What `auto` becomes for the augmentation backend and for the pairs of mixup and cutmix."""

from pathlib import Path
from typing import Any

import pytest
from support import image_folders

from clip_hparam.config.identity import trial_id
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.planning.resolve import resolve

RAND_AUGMENT = {"rand_augment": "rand-m9-mstd0.5-inc1"}


def resolved(**knobs: Any) -> Recipe:
    return resolve(with_values(Recipe(), knobs))


@pytest.mark.parametrize("beside", [{}, RAND_AUGMENT])
def test_auto_backend_is_tensor_for_files_and_memory(
    beside: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))
    root = image_folders.grow(tmp_path / "images", {f"train/{name}": 12 for name in "ab"})
    files = {"data.name": "folder", "data.root": str(root), "data.shots": 0, "data.selection": 0.2}
    for data in ({}, {**files, "batch_size": 4}):
        assert resolved(**data, **beside).augment_backend == "tensor"
        assert resolved(**data, **beside, augment_backend="timm").augment_backend == "timm"


@pytest.mark.parametrize(
    ("knobs", "pairs"),
    [
        ({}, "mirrored"),
        ({"mix_pairs": "adjacent"}, "mirrored"),
        ({"mixup": 0.8}, "adjacent"),
        ({"cutmix": 1.0}, "adjacent"),
        ({"cutmix": 1.0, "batch_size": 25}, "mirrored"),
        ({"mixup": 0.8, "mix_pairs": "mirrored"}, "mirrored"),
    ],
)
def test_pairs_are_adjacent_where_rows_are_mixed(knobs: dict[str, Any], pairs: str) -> None:
    assert resolved(**knobs).mix_pairs == pairs


def test_ids_from_before_the_knob_are_those_of_mirrored_rows() -> None:
    assert trial_id(resolved()) == trial_id(resolved(mix_pairs="mirrored"))
    old, new = resolved(mixup=0.8, mix_pairs="mirrored"), resolved(mixup=0.8)
    assert trial_id(old) != trial_id(new)


def test_odd_batch_has_no_adjacent_pairs() -> None:
    with pytest.raises(ValueError, match=r"batch_size=25 is odd: try batch_size=26"):
        resolved(mixup=0.8, mix_pairs="adjacent", batch_size=25)


@pytest.mark.parametrize(("ranks", "best"), [(2, None), (4, 3), (12, 6)])
def test_ranks_of_an_odd_number_of_rows_are_refused_where_rows_are_mixed(
    ranks: int, best: int | None
) -> None:
    recipe = resolved(mixup=0.8, batch_size=12)
    TrialSpec(resolved(batch_size=12), gpus_per_trial=ranks)
    if best is None:
        TrialSpec(recipe, gpus_per_trial=ranks)
        return
    with pytest.raises(ValueError, match=f"try gpus_per_trial={best}, or mix_pairs=mirrored"):
        TrialSpec(recipe, gpus_per_trial=ranks)
