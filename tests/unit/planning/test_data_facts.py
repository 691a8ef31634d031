"""Counts and sentences about the images of a plan."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.image_folders import grow

from clip_hparam.config.recipe import Data, Recipe
from clip_hparam.data import image_folder
from clip_hparam.data.batches import Batches
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.evaluation_sets import selection as selection_sets
from clip_hparam.planning.data_facts import data_counts, data_rows, epoch_notes, resolve_selection
from clip_hparam.planning.resolve import resolve

PARTS = {
    f"{part}/{name}": n for part, n in (("train", 10), ("val", 3), ("test", 2)) for name in "ab"
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Data:
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))
    for function in (image_folder.load_image_folder, selection_sets._chosen):
        function.cache_clear()
    root = grow(tmp_path / "photos", PARTS, ".png")
    return Data(name="folder", root=str(root), shots=0, selection="auto")


@pytest.mark.parametrize("selection", ["auto", 0, 0.2, 4])
@pytest.mark.parametrize("shots", [0, 5])
def test_counts_are_those_of_the_batches(folder: Data, selection: object, shots: int) -> None:
    data = replace(folder, selection=selection, shots=shots)
    recipe = resolve(Recipe(data=data, batch_size=2))
    batches = Batches(recipe, load_dataset(recipe.data))
    counts = data_counts(data)
    assert counts == data_counts(recipe.data)
    assert counts["selection"] == len(batches.eval_sets["selection"].labels)
    assert counts["train"] == recipe.data.epoch_images == len(batches._train_index)


def test_auto_is_the_selection_folder_or_a_tenth(folder: Data) -> None:
    assert resolve_selection(folder, load_dataset(folder)) == 0
    digits = Data(selection="auto")
    assert resolve_selection(digits, load_dataset(digits)) == 0.1


def test_selection_folder_changes_the_fingerprint(folder: Data) -> None:
    drawn, own = load_dataset(replace(folder, selection=0.1)), load_dataset(folder)
    assert drawn.fingerprint != own.fingerprint
    assert load_dataset(replace(folder, selection=0)).fingerprint == own.fingerprint


def test_rows_name_the_sets(folder: Data) -> None:
    assert dict(data_rows(folder)) == {
        "data": "folder, 2 classes: a, b",
        "training set": f"20 images of {folder.root}/train",
        "selection set": f"6 images of {folder.root}/val",
        "test set": f"4 images of {folder.root}/test",
    }


@pytest.mark.parametrize(
    ("epoch", "told"), [(40, False), (200, False), (1000, False), (1001, True), (39, True)]
)
def test_epoch_of_five_passes_or_a_fifth_is_usual(epoch: int, told: bool) -> None:
    assert bool(epoch_notes(Data(shots=20, epoch_images=epoch))) is told
