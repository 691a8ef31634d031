"""A selection set of one's own is a folder, or a list of images that are not trained on."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.image_folders import grow

from clip_hparam.config.identity import trial_id
from clip_hparam.config.recipe import Data, Recipe, with_values
from clip_hparam.data.dataset import SELECTION, ImageFiles
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.evaluation_sets.own_selection import with_own_selection
from clip_hparam.planning.resolve import resolve

TREE = {"train/cat": 4, "train/dog": 4, "test/cat": 1, "test/dog": 1}


@pytest.fixture(autouse=True)
def _own_sets(own_cache: None) -> Iterator[None]:
    yield
    with_own_selection.cache_clear()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return grow(tmp_path / "photos", TREE)


def data(root: Path, place: Path | str, selection: float | str = 0.0) -> Data:
    return Data(
        name="folder", root=str(root), shots=0, selection=selection, selection_root=str(place)
    )


def write(root: Path, *lines: str) -> Path:
    (root.parent / "selection.txt").write_text("\n".join(lines) + "\n")
    return root.parent / "selection.txt"


def test_a_folder_selects_and_all_images_train(root: Path, tmp_path: Path) -> None:
    grow(tmp_path / "own", {"dog": 3, "cat": 2})
    dataset = load_dataset(data(root, tmp_path / "own"))
    assert dataset.eval_sets[SELECTION].labels.tolist() == [0, 0, 1, 1, 1]
    assert len(dataset.train) == 8
    assert dataset.fingerprint != load_dataset(data(root, "", 0.1)).fingerprint


def test_listed_images_select_and_do_not_train(root: Path) -> None:
    file = write(root, "# mine", "dog/3.JPEG", "cat/1.JPEG")
    dataset = load_dataset(data(root, file, "auto"))
    own = dataset.eval_sets[SELECTION]
    assert isinstance(own.images, ImageFiles)
    assert own.images.paths.tolist() == [b"cat/1.JPEG", b"dog/3.JPEG"]
    assert own.labels.tolist() == [0, 1]
    assert isinstance(dataset.train, ImageFiles)
    assert not {b"cat/1.JPEG", b"dog/3.JPEG"} & set(dataset.train.paths.tolist())
    write(root, "dog/2.JPEG")
    with_own_selection.cache_clear()
    assert load_dataset(data(root, file, "auto")).fingerprint != dataset.fingerprint


def test_images_in_memory_are_listed_by_index(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("7\n0\n")
    chosen = {"data.selection": 0, "data.selection_root": str(tmp_path / "list.txt")}
    recipe = resolve(with_values(Recipe(), chosen))
    assert trial_id(recipe) != trial_id(resolve(Recipe()))
    digits, plain = load_dataset(recipe.data), load_dataset(Data())
    np.testing.assert_array_equal(
        digits.eval_sets[SELECTION].images,  # type: ignore[arg-type]
        plain.train[np.array([0, 7])],  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ("cow/1.JPEG",),
            "cow/1.JPEG, which is not a training image: write lines such as cat/0",
        ),
        (("cat/1.JPEG", "cat/1.JPEG"), "lists an image twice"),
        (("#",), "lists no image"),
        (tuple(f"cat/{n}.JPEG" for n in range(4)), "lists all images of class cat"),
    ],
)
def test_a_wrong_list_is_refused(root: Path, lines: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_dataset(data(root, write(root, *lines)))


def test_other_mistakes_are_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        load_dataset(data(root, "nowhere"))
    with pytest.raises(ValueError, match="draws another one: type"):
        load_dataset(data(root, tmp_path, 0.1))
    grow(tmp_path / "own", {"cow": 1})
    with pytest.raises(ValueError, match="cow is not a class of the images trained on"):
        load_dataset(data(root, tmp_path / "own"))
