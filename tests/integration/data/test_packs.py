"""Shards and Parquet files train, are checked, and read the same pixels as a tree."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from support.cli import clip_hparam, records, sweep
from support.data_files import cifar
from support.pack_files import hf_parquet, jpeg, sample, shards, write_parquet, write_shard
from support.pipelines import pipeline
from torch import Tensor

from clip_hparam.config.recipe import Encoder, Recipe
from clip_hparam.data.dataset import Images
from clip_hparam.data.image_folder import load_image_folder
from clip_hparam.data.packs.load import load_parquet, load_shards

SHORT = ("epochs=1", "batch_size=2")
RECIPE = Recipe(encoder=Encoder(pixels="clip"), resolution=32, hflip=0.5, random_erasing=0.25)


def epoch(images: Images, workers: int = 0, first: int = 0) -> Tensor:
    reader = pipeline("tensor", RECIPE, images, workers)
    batches = np.arange(40).reshape(2, 20)[first:]
    try:
        return torch.stack(list(reader.train_batches(0, np.arange(45)[::-1].copy(), batches)))
    finally:
        reader.close()


@pytest.fixture
def trees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Images]:
    """Return the same 48 images of two classes in three layouts, in one order."""
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))
    labels = [n // 24 for n in range(48)]
    for part, seeds in (("train", range(48)), ("test", range(50, 52))):
        for n in seeds:
            path = tmp_path / "tree" / part / f"c{labels[n] if n < 48 else n % 2}" / f"{n:03}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(jpeg(n))
    for shard in range(3):
        members = [sample(f"c{labels[n]}/{n:03}", n) for n in range(16 * shard, 16 * shard + 16)]
        flat = [one for sample_ in members for one in sample_]
        write_shard(tmp_path / "shards" / f"train-{shard}.tar", flat)
    flat = [one for n in (50, 51) for one in sample(f"c{n % 2}/{n}", n)]
    write_shard(tmp_path / "shards" / "test-0.tar", flat)
    write_parquet(tmp_path / "p" / "train-0.parquet", labels, ("c0", "c1"))
    write_parquet(tmp_path / "p" / "test-0.parquet", [0, 1], ("c0", "c1"), 50)
    return {
        "tree": load_image_folder(tmp_path / "tree").train,
        "shards": load_shards(tmp_path / "shards").train,
        "parquet": load_parquet(tmp_path / "p").train,
    }


def test_layouts_and_workers_give_the_same_bits(trees: dict[str, Images]) -> None:
    expected = epoch(trees["tree"])
    for name in ("shards", "parquet"):
        assert torch.equal(epoch(trees[name]), expected), name
        assert torch.equal(epoch(trees[name], workers=2), expected), name
        assert torch.equal(epoch(trees[name], workers=2, first=1), expected[1:]), name


def test_a_trial_on_shards_and_its_record(tmp_path: Path) -> None:
    root = shards(tmp_path / "s", {"train": 6, "val": 2, "test": 2})
    done = sweep("data=shards", f"data.root={root}", *SHORT, cwd=tmp_path)
    assert done.code == 0, done.err
    (record,) = records(tmp_path)
    result = record.result()
    assert result is not None
    assert "test_acc1.raw.last" in result["metrics"]
    again = sweep("data=shards", f"data.root={root}", *SHORT, cwd=tmp_path)
    assert again.code == 0
    assert len(records(tmp_path)) == 1


def test_check_shows_the_facts_of_shards(tmp_path: Path) -> None:
    root = shards(tmp_path / "s")
    # an image of train again in val, and one that is cut off
    write_shard(root / "val-9.tar", [("x.jpg", jpeg(1)), ("x.cls", b"0")])
    write_shard(root / "train-9.tar", [("y.jpg", jpeg(90)[:-60]), ("y.cls", b"1")])
    done = clip_hparam("data", "check", "data=shards", f"data.root={root}", "--json", cwd=tmp_path)
    assert done.code == 2
    tree = json.loads(done.out)
    assert tree["images"] == 18 + 6 + 2
    assert [line.partition(" cannot")[0] for line in tree["unreadable"]] == [
        f"{root}/train-9.tar/y.jpg"
    ]
    assert tree["facts"]["train, images of a class"] == "6 (0) to 7 (1), mean 6.3"
    assert tree["facts"]["test, sizes"] == "shorter side 24 to 24 px, median 24"
    assert "fingerprint" in tree["facts"]
    assert "1 of 7 images of the test set are training images too" in done.err


def test_check_shows_the_facts_of_parquet_and_of_arrays(tmp_path: Path) -> None:
    root = hf_parquet(tmp_path / "p")
    done = clip_hparam("data", "check", "data=hf_parquet", f"data.root={root}", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "all 30 images can be read" in done.out
    assert "selection, images of a class: 2 of each" in done.out
    root = cifar(tmp_path / "c")
    done = clip_hparam("data", "check", "data=cifar10", f"data.root={root}", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "train, images of a class: 20 of each" in done.out
    assert "fingerprint: " in done.out
    assert "all images are arrays in memory: there are no files to check" in done.out
    done = clip_hparam("data", "check", "data=digits", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "data: digits, 10 classes: 0, 1, 2, 3, 4 and 5 more" in done.out
    names = ("data=digits", "data.class_names=names.txt")
    (tmp_path / "names.txt").write_text("nil\n" * 9)
    done = clip_hparam("data", "check", *names, cwd=tmp_path)
    assert (done.code, done.err[:38]) == (2, "data.class_names=names.txt holds 9 nam")
    (tmp_path / "names.txt").write_text("".join(f"n{number}\n" for number in range(10)))
    done = clip_hparam("data", "check", *names, cwd=tmp_path)
    assert "words in prompts: n0, n1, n2, n3, n4, n5, n6, n7, n8, n9\n" in done.out


def test_arrays_that_are_in_both_sets_are_counted(tmp_path: Path) -> None:
    root = cifar(tmp_path / "c")
    folder = root / "cifar-10-batches-py"
    (folder / "test_batch").write_bytes((folder / "data_batch_1").read_bytes())
    done = clip_hparam("data", "check", "data=cifar10", f"data.root={root}", cwd=tmp_path)
    assert "images of the test set are training images too, pixel by pixel" in done.err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("data=folder", "data.root=s"), "or type data=shards if its .tar files hold images"),
        (("data=folder", "data.root=p/data"), "or type data=hf_parquet if its .parquet files"),
        (("data=shards", "data.root=p"), "holds no file that ends in .tar: put train-*.tar"),
        (("data=shards", "data.root=none"), "data.root=none does not exist: type data=shards"),
        (("data=shards", 'data.root="s/train-{0..1}.tar"'), "2 of its 2 files do not exist"),
        (("data=cifar10", "data.root=c", "data.on_error=skip"), "is for images in files"),
    ],
)
def test_wrong_layouts_are_one_sentence(
    words: tuple[str, ...], problem: str, tmp_path: Path
) -> None:
    shards(tmp_path / "s")
    hf_parquet(tmp_path / "p")
    cifar(tmp_path / "c")
    done = sweep(*words, *SHORT, cwd=tmp_path)
    assert done.code == 2
    assert problem in done.err
    assert len(done.err.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_a_pattern_in_quotes_and_a_file_of_names(tmp_path: Path) -> None:
    shards(tmp_path / "s", labels=("3", "7"), kind="txt")
    (tmp_path / "n.txt").write_text("3\n7\n8\n")
    words = ("data=shards", 'data.root="s/{train,val}-{000000..000001}.tar"')
    zero_shot = ("pool=clip", "head_init=zero_shot", "data.class_names=n.txt")
    done = sweep(*words, *zero_shot, *SHORT, cwd=tmp_path)
    assert done.code == 2
    assert "data.class_names=n.txt holds 3 names, and the data set has 2 classes" in done.err
    unused = ("describe", *words, "data.class_names=n.txt", *SHORT)
    assert "holds 3 names, and the data set has 2 classes" in clip_hparam(*unused, cwd=tmp_path).err
    (tmp_path / "n.txt").write_text("3\n7\n")
    shown = clip_hparam(*unused, cwd=tmp_path)
    assert shown.code == 0, shown.err
    assert "data.class_names=n.txt changes nothing here: prompts are read by" in shown.out
