"""Packs are a data set: classes, sets, order, fingerprint, and what is refused."""

import io
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import pack_files
from support.image_files import png_chunk
from support.pack_files import hf_parquet, jpeg, sample, shards, write_parquet, write_shard

from clip_hparam.config.recipe import Data
from clip_hparam.data.dataset import ImageDataset, ImageFiles
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.folders.image_check import check_files
from clip_hparam.data.loading.read_request import open_image
from clip_hparam.data.packs import load

pytestmark = pytest.mark.usefixtures("own_cache")


def read(name: str, root: Path, **knobs: object) -> ImageDataset:
    load.load_shards.cache_clear()
    load.load_parquet.cache_clear()
    return load_dataset(Data(name=name, root=str(root), **knobs))  # type: ignore[arg-type]


def names(files: object) -> list[str]:
    assert isinstance(files, ImageFiles)
    return [str(files.path(n).relative_to(files.root)) for n in range(len(files))]


def test_shards_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    dataset = read("shards", shards(tmp_path / "s", labels=(10, 2, 1)))
    assert dataset.classes == ("1", "2", "10")
    found = names(dataset.train)
    assert found[:2] == ["train-000000.tar/00001.jpg", "train-000000.tar/00003.jpg"]
    assert found[9] == "train-000001.tar/00002.jpg"
    assert [dataset.classes[n] for n in dataset.train_labels[:3]] == ["10", "1", "2"]
    image = open_image(dataset.train, 1)
    np.testing.assert_array_equal(image, Image.open(io.BytesIO(jpeg(3))))
    assert len(dataset.test.labels) == 6
    assert any("is the test set, because" in note for note in dataset.notes)


@pytest.mark.parametrize("kind", ["txt", "json", "folder"])
def test_kinds_of_labels_give_the_same_classes(tmp_path: Path, kind: str) -> None:
    dataset = read("shards", shards(tmp_path / "s", labels=("owl", "cat"), kind=kind))
    assert dataset.classes == ("cat", "owl")
    assert np.bincount(dataset.train_labels).tolist() == [6, 6]


def test_the_fingerprint_is_of_the_samples_not_of_their_place(tmp_path: Path) -> None:
    before = read("shards", shards(tmp_path / "a")).fingerprint
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    (tmp_path / "b" / "train").mkdir()
    for path in (tmp_path / "b").glob("train-*"):
        path.rename(tmp_path / "b" / "train" / path.name.removeprefix("train-"))
    assert read("shards", tmp_path / "b").fingerprint == before
    assert read("shards", shards(tmp_path / "c", labels=(0, 1, 3))).fingerprint != before
    (tmp_path / "a" / "classes.txt").write_text("cat\ndog\nowl\n")
    named = read("shards", tmp_path / "a")
    assert named.classes == ("cat", "dog", "owl")
    assert named.fingerprint != before


def test_three_splits_and_one(tmp_path: Path) -> None:
    parts = {"train": 6, "val": 1, "test": 2}
    three = read("shards", shards(tmp_path / "s", parts), selection=0)
    assert {name: len(one.labels) for name, one in three.eval_sets.items()} == {
        "selection": 3,
        "test": 6,
    }
    one = read("shards", tmp_path / "s" / "train-{000000..000001}.tar")
    assert (len(one.train_labels), len(one.test.labels)) == (15, 3)
    assert "a fixed fifth of each class" in one.sources["test"]


def test_parquet_has_the_names_of_the_schema(tmp_path: Path) -> None:
    dataset = read(
        "hf_parquet", hf_parquet(tmp_path / "p", ("owl", "cat", "dog", "none")), selection=0
    )
    assert dataset.classes == ("owl", "cat", "dog", "none")
    assert names(dataset.train)[12] == "data/train-00001-of-00002-0c2d.parquet/0-100.JPEG"
    image = open_image(dataset.train, 13)
    np.testing.assert_array_equal(image, Image.open(io.BytesIO(jpeg(101))))
    assert {name: len(one.labels) for name, one in dataset.eval_sets.items()} == {
        "selection": 6,
        "test": 6,
    }


def test_parquet_without_test_labels_or_without_images_of_a_class(tmp_path: Path) -> None:
    root = tmp_path / "p"
    write_parquet(root / "train-0.parquet", [0, 2] * 4)
    write_parquet(root / "validation-0.parquet", [0, 2], first_seed=50)
    write_parquet(root / "test-0.parquet", [-1, -1], first_seed=60)
    dataset = read("hf_parquet", root)
    assert dataset.classes == ("cat", "owl")
    assert "1 of 3 classes have no image and are left out: dog" in dataset.notes
    assert any("is not read: its labels are all -1" in note for note in dataset.notes)
    assert len(dataset.test.labels) == 2


def test_large_row_groups_are_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clip_hparam.data.packs.packed_dataset.LARGE_GROUP", 100)
    dataset = read("hf_parquet", hf_parquet(tmp_path / "p"))
    assert any("all of it is read for one image" in note for note in dataset.notes)


def unlike_kinds(root: Path) -> None:
    write_shard(root / "train-1.tar", sample("z", 90, 0, "txt"))


def numbers_and_words(root: Path) -> None:
    write_shard(root / "train-1.tar", sample("z", 90, "cat"))


def unlabelled(root: Path) -> None:
    write_shard(root / "train-1.tar", sample("z", 90, -1))


def copied(root: Path) -> None:
    shutil.copy(root / "train-000000.tar", root / "train-000009.tar")


def unknown_in_val(root: Path) -> None:
    write_shard(root / "val-9.tar", sample("z", 90, 7))


def one_class(root: Path) -> None:
    for path in root.iterdir():
        path.unlink()
    shards(root, labels=(3,))


def cut(root: Path) -> None:
    path = root / "val-000001.tar"
    path.write_bytes(path.read_bytes()[:1800])


def short_index(root: Path) -> None:
    (root / "classes.txt").write_text("cat\ndog\n")


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (unlike_kinds, "has labels of the kind txt, and .* of the kind cls"),
        (numbers_and_words, "some labels are numbers, such as 0, and some are names, such as cat"),
        (unlabelled, "an image has the label -1, which is not a class"),
        (copied, "train-000009.tar holds the samples of .*train-000000.tar: remove one of them"),
        (unknown_in_val, r"7 is a class that .*train \(2 shards\) does not have"),
        (one_class, "has one class, 3, and a classifier needs two"),
        (cut, "val-000001.tar was cut short, or is damaged: copy it again"),
        (short_index, "classes.txt names 2 classes, and an image has the label 2"),
    ],
)
def test_packs_that_do_not_fit_are_refused(
    tmp_path: Path, spoil: Callable[[Path], None], problem: str
) -> None:
    root = shards(tmp_path / "s")
    spoil(root)
    with pytest.raises(ValueError, match=problem) as error:
        read("shards", root)
    assert "\n" not in str(error.value)


def test_parquets_of_several_data_sets_are_refused(tmp_path: Path) -> None:
    root = hf_parquet(tmp_path / "p")
    write_parquet(root / "data" / "train-9.parquet", [0, 1], ("x", "y", "z"), 500)
    with pytest.raises(ValueError, match="names other classes in its schema than"):
        read("hf_parquet", root)


def test_unusual_images_in_a_shard(tmp_path: Path) -> None:
    """Grey, CMYK, a JPEG that is cut off, an empty one, and one of 900 million pixels."""
    members = shard_members(range(8))
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + head + png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b"")
    contents = {0: jpeg(0, mode="L"), 1: jpeg(1, mode="CMYK"), 2: jpeg(2)[:-60], 3: b""}
    members += [(f"u{n}.jpg", content) for n, content in contents.items()]
    members = [one for n in contents for one in (members[-4 + n], (f"u{n}.cls", b"1"))] + members[
        :-4
    ]
    members += [("u9.png", bomb), ("u9.cls", b"0")]
    dataset = read("shards", write_shard(tmp_path / "train.tar", members))
    files = dataset.train
    assert isinstance(files, ImageFiles)
    every = sorted([*check_files(files).values(), *_check(dataset.test.images)])
    assert [line.partition(" cannot")[0].rpartition("/")[2] for line in every] == [
        "u2.jpg",
        "u3.jpg",
        "u9.png",
    ]
    assert "image file is truncated" in every[0]
    assert "the file is empty" in every[1]
    assert "it has more than 178,956,970 pixels" in every[2]


def shard_members(seeds: range) -> list[pack_files.Member]:
    return [one for seed in seeds for one in sample(f"{seed:03}", seed, seed % 2)]


def _check(files: object) -> list[str]:
    assert isinstance(files, ImageFiles)
    return list(check_files(files).values())


def test_skip_leaves_unreadable_images_out(tmp_path: Path) -> None:
    members = shard_members(range(12))
    write_shard(tmp_path / "s" / "val.tar", shard_members(range(20, 24)))
    whole = read("shards", write_shard(tmp_path / "s" / "train.tar", members).parent)
    members[6] = (members[6][0], members[6][1][:-60])
    write_shard(tmp_path / "s" / "train.tar", members)
    dataset = read("shards", tmp_path / "s", on_error="skip")
    assert dataset.skipped == ("train.tar/003.jpg",)
    assert len(dataset.train_labels) == len(whole.train_labels) - 1
    assert "train.tar/003.jpg" not in names(dataset.train)


def test_a_subset_and_a_selection_list_go_by_names(tmp_path: Path) -> None:
    root = shards(tmp_path / "s")
    (tmp_path / "two.txt").write_text("0\n2\n")
    (tmp_path / "list.txt").write_text("train-000000.tar/00001.jpg\ntrain-000001.tar/00002.jpg\n")
    dataset = read("shards", root, subset=str(tmp_path / "two.txt"))
    assert (dataset.classes, len(dataset.train_labels)) == (("0", "2"), 12)
    own = read("shards", root, selection_root=str(tmp_path / "list.txt"), selection=0)
    assert len(own.eval_sets["selection"].labels) == 2
    assert len(own.train_labels) == 16


def test_json_of_the_class_index(tmp_path: Path) -> None:
    root = shards(tmp_path / "s")
    index = {str(n): [f"n0000000{n}", f"word {n}"] for n in range(3)}
    (root / "class_index.json").write_text(json.dumps(index))
    assert read("shards", root).classes == ("n00000000", "n00000001", "n00000002")
