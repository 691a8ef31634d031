"""Packs are found in a folder or by a pattern, and their names say their split."""

from pathlib import Path

import pytest

from clip_hparam.data.folders.split_names import SplitRole
from clip_hparam.data.packs.find_packs import find_packs, holds_packs

TRAIN, VAL, TEST = SplitRole.TRAIN, SplitRole.SELECTION, SplitRole.TEST


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.mark.parametrize(
    ("names", "roles"),
    [
        (("train-01.tar", "train-00.tar", "val-00.tar"), {TRAIN: 2, VAL: 1}),
        (("imagenet1k-train-0000.tar", "imagenet1k-validation-00.tar"), {TRAIN: 1, VAL: 1}),
        (("train/00.tar", "train/01.tar", "test/00.tar"), {TRAIN: 2, TEST: 1}),
        (("d/default/train/0000.tar", "README.md"), {}),
        (("default/train/0000.tar", "default/test/0.tar", ".x/train.tar"), {TRAIN: 1, TEST: 1}),
        (("a.tar", "b.tar", ".hidden-train.tar", "notes-val.txt"), {None: 2}),
    ],
)
def test_splits_are_named_by_files_or_folders(
    tmp_path: Path, names: tuple[str, ...], roles: dict[SplitRole | None, int]
) -> None:
    root = touch(tmp_path / "data", *names)
    assert holds_packs(root, ".tar") == bool(roles)
    if not roles:
        with pytest.raises(FileNotFoundError, match=r"holds no file that ends in .tar: put train"):
            find_packs(root, ".tar")
        return
    found = find_packs(root, ".tar")
    assert {role: len(paths) for role, paths in found.by_role.items()} == roles
    assert all(paths == sorted(paths) for paths in found.by_role.values())


def test_a_pattern_names_its_files(tmp_path: Path) -> None:
    touch(tmp_path, "a/train-0.tar", "a/train-1.tar", "b/val-0.tar", "a/train-2.tar")
    found = find_packs(tmp_path / "{a/train-{0..1},b/val-0}.tar", ".tar")
    assert found.root == tmp_path
    assert found.by_role == {TRAIN: ["a/train-0.tar", "a/train-1.tar"], VAL: ["b/val-0.tar"]}
    with pytest.raises(FileNotFoundError, match=r"2 of its 5 files do not exist, such as .*3.tar"):
        find_packs(tmp_path / "a" / "train-{0..4}.tar", ".tar")
    with pytest.raises(ValueError, match=r"does not end in .parquet"):
        find_packs(tmp_path / "a" / "train-{0..1}.tar", ".parquet")
    with pytest.raises(FileNotFoundError, match="it does not exist"):
        find_packs(tmp_path / "none.tar", ".tar")


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (("train-0.tar", "more.tar"), "are named by a split, and more.tar, which is not"),
        (("val-0.tar", "test-0.tar"), "and no file of the training set"),
        (("train-val-0.tar",), "is named by several splits, train, val"),
        (("train-0.tar", "eval-0.tar"), "may be of a selection set or of a test set"),
        (("x/train-0.tar", "y/train-0.tar"), "several data sets: try data.root=.*y"),
    ],
)
def test_unclear_packs_are_refused(tmp_path: Path, names: tuple[str, ...], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        find_packs(touch(tmp_path, *names), ".tar")


def test_class_folders_are_not_searched(tmp_path: Path) -> None:
    touch(tmp_path, *(f"train/n{number:08}/x.tar" for number in range(40)))
    assert not holds_packs(tmp_path, ".tar")
