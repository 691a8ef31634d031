"""Images of packs have the interface of files: content, facts, digest, and parts of a set."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
from support.pack_files import hf_parquet, jpeg, sample, shards, write_shard

from clip_hparam.data.dataset import TEST, ImageFiles
from clip_hparam.data.folders import image_check
from clip_hparam.data.folders.image_check import check_files
from clip_hparam.data.folders.shared_files import shared_file_notes, shared_indices
from clip_hparam.data.packs.load import load_parquet, load_shards
from clip_hparam.data.packs.packed_files import PackedFiles
from clip_hparam.data.reading.errors import UnreadableImageError

pytestmark = pytest.mark.usefixtures("own_cache")


def packed(files: object) -> PackedFiles:
    assert isinstance(files, PackedFiles)
    return files


def test_a_part_of_a_set_keeps_its_images(tmp_path: Path) -> None:
    files = packed(load_shards(shards(tmp_path / "s")).train)
    part = files[np.array([3, 0])]
    assert [part.content(n) for n in range(2)] == [files.content(3), files.content(0)]
    assert part.path(0) == files.path(3)
    again = pickle.loads(pickle.dumps(part))
    assert again.content(1) == files.content(0)
    assert part.digest(1) == hashlib.sha256(files.content(0)).hexdigest()


@pytest.mark.parametrize("name", ["shards", "parquet"])
def test_facts_tell_images_apart(tmp_path: Path, name: str) -> None:
    if name == "shards":
        files = packed(load_shards(shards(tmp_path / "s")).train)
        assert files.facts()[0].size == len(files.content(0))
    else:
        files = packed(load_parquet(hf_parquet(tmp_path / "p")).train)
    facts = files.facts()
    assert len({one[2:] for one in facts}) == len(files)
    assert files[np.array([2])].facts() == [facts[2]]
    files.packs[0].path.unlink()
    assert files.facts()[0] == (0, 0, 0, 0)


def test_a_shard_that_is_lost_later_is_one_sentence(tmp_path: Path) -> None:
    files = packed(load_shards(shards(tmp_path / "s")).test.images)
    (tmp_path / "s" / "val-000000.tar").unlink()
    with pytest.raises(UnreadableImageError, match=r"No such file .*: restore the file that holds"):
        files.content(0)


def test_images_that_are_in_two_sets_are_counted(tmp_path: Path) -> None:
    members = [one for n in range(8) for one in sample(f"{n}", n, n % 2)]
    write_shard(tmp_path / "s" / "train.tar", members)
    same = [("x.jpg", jpeg(3)), ("x.cls", b"1"), *sample("y", 50, 0)]
    write_shard(tmp_path / "s" / "val.tar", same)
    dataset = load_shards(tmp_path / "s")
    assert shared_indices(packed(dataset.train), packed(dataset.test.images)) == [0]
    (note,) = shared_file_notes(dataset)
    assert note.startswith("1 of 2 images of the test set are training images too")
    other = load_parquet(hf_parquet(tmp_path / "p"))
    assert shared_indices(packed(other.train), packed(other.eval_sets[TEST].images)) == []
    assert shared_indices(packed(other.train), packed(other.train)[np.array([7])]) == [0]


def test_a_check_decodes_each_image_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = load_parquet(hf_parquet(tmp_path / "p")).train
    assert isinstance(files, ImageFiles)
    assert check_files(files) == {}
    monkeypatch.setattr(image_check, "read_image", None)
    assert check_files(files) == {}
