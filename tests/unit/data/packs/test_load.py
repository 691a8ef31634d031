"""ImageNet is the same data set of WordNet ids in a tree, in shards and in Parquet files."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import image_folders
from support.pack_files import WNIDS, jpeg, sample, shards, write_parquet, write_shard

from clip_hparam.config.recipe import Data
from clip_hparam.data.dataset import ImageDataset, ImageFiles
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.loading.read_request import open_image
from clip_hparam.data.prompt_templates import imagenet_ids

pytestmark = pytest.mark.usefixtures("own_cache")
LABELS = [imagenet_ids().index(wnid) for wnid in WNIDS]


def read(root: Path, **knobs: object) -> ImageDataset:
    return load_dataset(Data(name="imagenet", root=str(root), selection=0.2, **knobs))  # type: ignore[arg-type]


def parquets(root: Path, labels: list[int], names: list[str]) -> Path:
    write_parquet(root / "data" / "train-00000-of-00001.parquet", labels * 6, names)
    write_parquet(root / "data" / "validation-00000-of-00001.parquet", labels * 2, names, 100)
    write_parquet(root / "data" / "test-00000-of-00001.parquet", [-1] * 4, names, 200)
    return root


def words(count: int) -> list[str]:
    return [f"word {n}" for n in range(count)]


@pytest.mark.parametrize("layout", ["tree", "folders", "numbers", "pattern", "parquet", "ids"])
def test_every_layout_has_the_same_classes_and_sets(tmp_path: Path, layout: str) -> None:
    root = tmp_path / "in"
    if layout == "tree":
        for part, count in (("train", 6), ("val", 2)):
            image_folders.grow(root / part, dict.fromkeys(WNIDS, count))
    elif layout == "folders":
        shards(root, labels=WNIDS, kind="folder")
    elif layout in ("numbers", "pattern"):
        shards(root, {"train": 6, "val": 2, "test": 1}, LABELS)
        root = root / "{train,val}-{000000..000001}.tar" if layout == "pattern" else root
    else:
        ids = layout == "ids"
        parquets(root, [0, 1, 2] if ids else LABELS, list(WNIDS) if ids else words(1000))
    dataset = read(root)
    assert dataset.classes == tuple(sorted(WNIDS))
    assert np.bincount(dataset.train_labels).tolist() == [6, 6, 6]
    assert np.bincount(dataset.test.labels).tolist() == [2, 2, 2]
    assert set(dataset.eval_sets) == {"test"}
    assert isinstance(dataset.train, ImageFiles)
    assert dataset.train.official


def test_an_orientation_is_ignored_as_in_the_tree(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.open(io.BytesIO(jpeg(5))).save(file, "JPEG", exif=exif)
    members = [
        member
        for n in range(6)
        for member in ((f"{WNIDS[n % 3]}/{n}.jpg", file.getvalue()), (f"x/{n}.skip", b""))[:1]
    ]
    write_shard(tmp_path / "in" / "train.tar", members)
    write_shard(tmp_path / "in" / "val.tar", [(f"{WNIDS[0]}/0.jpg", jpeg(1))])
    width, height = Image.open(io.BytesIO(jpeg(5))).size
    assert width != height
    assert open_image(read(tmp_path / "in").train, 0).size == (width, height)
    turned = load_dataset(Data(name="shards", root=str(tmp_path / "in")))
    assert open_image(turned.train, 0).size == (height, width)


def test_a_zip_next_to_its_extracted_tree_has_no_effect(tmp_path: Path) -> None:
    root = image_folders.imagenet(tmp_path / "in")
    before = read(root).fingerprint
    (root / "ILSVRC2012_img_train.tar").write_bytes(b"the archive it came from")
    assert read(root).fingerprint == before


@pytest.mark.parametrize(
    ("labels", "names", "problem"),
    [
        ([0, 1, 2], ["cat", "dog", "owl"], "has 3 classes, .* try data=hf_parquet"),
        ([0, 1, 1000], words(1000), "ImageNet-1k names 1,000 classes, .* the label 1000"),
    ],
)
def test_parquet_of_other_classes_is_refused(
    tmp_path: Path, labels: list[int], names: list[str], problem: str
) -> None:
    root = parquets(tmp_path / "p", labels, names)
    with pytest.raises(ValueError, match=problem):
        read(root)


def test_shards_of_other_classes_or_without_val_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="class cat, which is not a WordNet id: try data=shards"):
        read(shards(tmp_path / "words", labels=("cat", "dog"), kind="txt"))
    with pytest.raises(FileNotFoundError, match="has no shards named val: data=imagenet reads"):
        read(shards(tmp_path / "train", {"train": 4}, LABELS))
    write_shard(tmp_path / "plain" / "0.tar", sample("a", 1, 0))
    with pytest.raises(FileNotFoundError, match="has no shards named val"):
        read(tmp_path / "plain")
