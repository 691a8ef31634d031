"""data.subset keeps some of the classes, and refuses a list that is no subset."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support import image_folders

from clip_hparam.config.identity import trial_id
from clip_hparam.config.recipe import Data, Recipe, with_values
from clip_hparam.data.dataset import TEST, EvalSet, ImageDataset, ImageFiles
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.folders.class_subset import LISTS, with_subset
from clip_hparam.data.prompts.dataset_prompts import tiny_prompts
from clip_hparam.planning.data_facts import data_counts, data_rows
from clip_hparam.planning.resolve import resolve

NAMES = ("cat", "cow", "dog", "emu")


pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def animals() -> ImageDataset:
    """Return 12 images of 4 classes whose first pixel is the label, and 8 test images."""
    train, test = np.arange(12) % 4, np.arange(8) % 4
    images = [labels.astype(np.uint8).reshape(-1, 1, 1, 1) for labels in (train, test)]
    allowed = np.array([True, False, True, True])
    return ImageDataset(
        NAMES, images[0], train, {TEST: EvalSet(images[1], test, allowed)}, "fingerprint"
    )


def written(folder: Path, text: str) -> str:
    (folder / "classes.txt").write_text(text, encoding="utf-8")
    return str(folder / "classes.txt")


def test_images_of_other_classes_are_left_out_of_all_sets(
    animals: ImageDataset, tmp_path: Path
) -> None:
    kept = with_subset(animals, written(tmp_path, "# two animals\n\n emu \ncow\n"))
    assert kept.classes == ("cow", "emu")
    assert kept.train_labels.tolist() == [0, 1] * 3
    assert np.asarray(kept.train).ravel().tolist() == [1, 3] * 3
    assert np.asarray(kept.test.images).ravel().tolist() == [1, 3] * 2
    assert kept.test.labels.tolist() == [0, 1] * 2
    assert kept.test.allowed_classes is not None
    assert kept.test.allowed_classes.tolist() == [False, True]
    assert kept.notes[-1].endswith("keeps 2 of 4 classes")


def test_fingerprint_is_that_of_the_classes_not_of_their_order_or_file(
    animals: ImageDataset, tmp_path: Path
) -> None:
    first = with_subset(animals, written(tmp_path, "cat\ndog\n")).fingerprint
    other = tmp_path / "other"
    other.mkdir()
    assert with_subset(animals, written(other, "dog\ncat\n")).fingerprint == first
    assert with_subset(animals, written(other, "dog\ncow\n")).fingerprint != first
    assert with_subset(animals, written(other, "\n".join(NAMES))) is animals
    assert with_subset(animals, "none") is animals


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("cat\ncov\n", "names cov, which the data set does not have: did you mean cow"),
        ("cat\nzebra\n", "names zebra, which the data set does not have: choose from cat, cow,"),
        ("a\nb\n", "names a, b, and the data set has none of them: its classes are cat, cow"),
        ("cat\ndog\ncat\n", "names cat more than once: keep one line"),
        ("cat\n", "names 1 class, and a classifier needs two"),
        ("# nothing\n", "names no class, and a classifier needs two"),
    ],
)
def test_list_that_is_no_subset_is_refused_in_one_sentence(
    animals: ImageDataset, tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence) as error:
        with_subset(animals, written(tmp_path, text))
    assert str(error.value).startswith("data.subset=")
    assert "\n" not in str(error.value)


def test_list_that_cannot_be_read_is_refused(animals: ImageDataset, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="did you mean imagenet100"):
        with_subset(animals, "imagenet-100")
    (tmp_path / "weights.bin").write_bytes(b"\xff\xfe\x00\xff")
    with pytest.raises(ValueError, match="is not a text file in UTF-8"):
        with_subset(animals, str(tmp_path / "weights.bin"))


def test_set_without_an_image_of_the_subset_is_refused(
    animals: ImageDataset, tmp_path: Path
) -> None:
    few = EvalSet(animals.test.images[:2], animals.test.labels[:2])
    with pytest.raises(ValueError, match="leaves no image in the test set"):
        with_subset(replace(animals, eval_sets={TEST: few}), written(tmp_path, "dog\nemu\n"))


def test_imagenet100_is_the_published_list() -> None:
    lines = LISTS["imagenet100"].read_text().splitlines()
    names = [line for line in lines if not line.startswith("#")]
    assert len(set(names)) == len(names) == 100
    assert (names[0], names[-1]) == ("n02869837", "n02090622")
    digest = hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()
    assert digest == "d61d354b64beb3ce2c2c9cf04a874298362dc9fcd589e15ee34c5e4592145746"


def test_counts_of_a_plan_are_those_of_the_subset(tmp_path: Path) -> None:
    root = image_folders.imagenet(tmp_path / "in")
    listed = written(tmp_path, "n02084071\nn01440764\n")
    data = Data(name="imagenet", root=str(root), shots=0, selection=1.0, subset=listed)
    assert data_counts(data) == {
        "classes": 2, "train": 10, "selection": 2, "test": 4, "skipped": 0,
    }  # fmt: skip
    assert dict(data_rows(data))["data"] == "imagenet, 2 classes: n01440764, n02084071"
    files = load_dataset(data).train
    assert isinstance(files, ImageFiles)
    assert {files.path(index).parts[-2] for index in range(12)} == {"n01440764", "n02084071"}


def test_epoch_of_all_of_imagenet_is_one_pass_over_a_subset(tmp_path: Path) -> None:
    root = image_folders.imagenet(tmp_path / "in")
    values = {
        "data.name": "imagenet", "data.root": str(root), "data.shots": 0, "data.selection": 1.0,
        "data.epoch_images": "imagenet:1281167", "batch_size": 2, "epochs": 3,
    }  # fmt: skip
    every, few = (
        resolve(with_values(Recipe(), {**values, "data.subset": subset}))
        for subset in ("none", written(tmp_path, "n02084071\nn01440764\n"))
    )
    assert (every.data.epoch_images, few.data.epoch_images) == (1281167, 10)
    assert trial_id(every) != trial_id(few)
    assert trial_id(resolve(few)) == trial_id(few)


def test_unreadable_image_of_another_class_stops_no_subset(tmp_path: Path) -> None:
    root = image_folders.imagenet(tmp_path / "in")
    (root / "train" / "n01443537" / "0.JPEG").write_bytes(b"no image")
    listed = written(tmp_path, "n02084071\nn01440764\n")
    data = Data(
        name="imagenet", root=str(root), shots=0, selection=1.0, subset=listed, on_error="skip"
    )
    assert data_counts(data)["skipped"] == 0
    assert data_counts(replace(data, subset="none"))["skipped"] == 1


def test_prompts_of_tiny_clip_are_those_of_the_classes_that_are_kept(tmp_path: Path) -> None:
    every = tiny_prompts(Data(name="digits"))
    some = tiny_prompts(Data(name="digits", subset=written(tmp_path, "7\n3\n")))
    assert every is not None
    assert some == [every[3], every[7]]
