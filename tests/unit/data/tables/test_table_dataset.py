"""A table gives the sets named by its splits, or by the tables in its folder."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.data_files import table as write_table
from support.image_folders import grow

from clip_hparam.config.recipe import Data
from clip_hparam.data.dataset import ImageFiles
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.tables.table_dataset import load_table


@pytest.fixture(autouse=True)
def _own_tables(own_cache: None) -> Iterator[None]:
    yield
    load_table.cache_clear()


def write(file: Path, *rows: str) -> Path:
    file.write_text("\n".join(rows) + "\n")
    return file


def test_one_table_is_divided_by_a_fixed_fifth_of_each_class(tmp_path: Path) -> None:
    file = write_table(tmp_path)
    dataset = load_dataset(Data(name="table", root=str(file)))
    assert dataset.classes == ("cat", "dog")
    assert (len(dataset.train), len(dataset.test.labels)) == (10, 2)
    assert isinstance(dataset.train, ImageFiles)
    names = [Path(dataset.train.path(i)).stem for i in range(10)]
    odd = [int(name) % 2 == 1 for name in names]
    np.testing.assert_array_equal(dataset.train_labels == 0, odd)
    assert load_table(tmp_path).fingerprint == dataset.fingerprint  # the only table there


def test_the_fingerprint_is_of_content_not_of_the_place(tmp_path: Path) -> None:
    file = write_table(tmp_path / "a")
    before = load_table(file).fingerprint
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert load_table(tmp_path / "b" / "images.csv").fingerprint == before
    text = (tmp_path / "b" / "images.csv").read_text().replace("0.JPEG,dog", "0.JPEG,cat")
    (tmp_path / "b" / "images.csv").write_text(text)
    load_table.cache_clear()
    assert load_table(tmp_path / "b" / "images.csv").fingerprint != before


def test_a_column_split_gives_three_sets(tmp_path: Path) -> None:
    grow(tmp_path, {"i": 8})
    splits = ("train", "training", "val", "test")
    rows = [f"i/{n}.JPEG,{10 * (n % 2)},{splits[n // 2]}" for n in range(8)]
    dataset = load_table(write(tmp_path / "all.csv", "path,label,split", *rows))
    assert dataset.classes == ("0", "10")
    assert len(dataset.train) == 4
    assert {name: len(one.labels) for name, one in dataset.eval_sets.items()} == {
        "selection": 2,
        "test": 2,
    }
    assert dataset.selection_fingerprint


def test_tables_of_a_folder_are_its_sets_and_val_may_be_the_test_set(tmp_path: Path) -> None:
    grow(tmp_path, {"i": 6})
    for name, numbers in (("train", range(4)), ("val", range(4, 6))):
        rows = [f"i/{n}.JPEG,{'ab'[n % 2]}" for n in numbers]
        write(tmp_path / f"{name}.csv", "path,label", *rows)
    dataset = load_table(tmp_path)
    assert list(dataset.eval_sets) == ["test"]
    assert dataset.test.labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (("i/0.JPEG,a,train", "i/1.JPEG,a,train"), "has one class, a"),
        (("i/0.JPEG,a,train", "i/1.JPEG,b,train"), "class a has one image"),
        (("i/0.JPEG,a,other",), "row 1 is of the split other: write train, val or test"),
        (("i/0.JPEG,a,test",), "has no row of the split train"),
        (
            ("i/0.JPEG,a,train", "i/1.JPEG,b,train", "i/2.JPEG,c,test"),
            "c is a class that .* does not have: choose from a, b",
        ),
        (("i/0.JPEG,a,train", "i/9.JPEG,b,train"), "names .*/i/9.JPEG, which does not exist: "),
        (("i/8.JPEG,a,train", "i/9.JPEG,b,train"), "i/8.JPEG, which .* and 1 more such files: "),
    ],
)
def test_a_table_that_gives_no_data_set_is_refused(
    tmp_path: Path, rows: tuple[str, ...], message: str
) -> None:
    grow(tmp_path, {"i": 3})
    write(tmp_path / "all.csv", "path,label,split", *rows)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        load_table(tmp_path / "all.csv")


def test_folders_without_a_clear_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no table: data=table reads one table"):
        load_table(tmp_path)
    for name in ("a.csv", "b.csv"):
        write(tmp_path / name, "path,label")
    with pytest.raises(FileNotFoundError, match=r"holds a\.csv, b\.csv.* type data.root=.*a\.csv$"):
        load_table(tmp_path)


def test_a_missing_root_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="where PATH holds a table of"):
        load_dataset(Data(name="table", root="/nowhere/images.csv"))
