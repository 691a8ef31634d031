"""The index of a shard says where its images are; a shard that is not whole is refused."""

import gzip
import tarfile
from pathlib import Path

import numpy as np
import pytest
from support.pack_files import Member, jpeg, sample, write_shard

from clip_hparam.data.packs.shard_index import index_shard


@pytest.mark.parametrize("kind", ["cls", "txt", "json"])
def test_places_are_those_of_the_images(tmp_path: Path, kind: str) -> None:
    members = [*sample("b", 1, 7, kind), *sample("a", 2, 5, kind)]
    index = index_shard(write_shard(tmp_path / "x.tar", members))
    assert (index.names, index.labels, index.kind) == (("b.jpg", "a.jpg"), ("7", "5"), kind)
    content = (tmp_path / "x.tar").read_bytes()
    found = [content[offset : offset + size] for offset, size in index.places.tolist()]
    assert found == [jpeg(1), jpeg(2)]


def test_members_of_a_tar_program_are_read(tmp_path: Path) -> None:
    """GNU's long names, "./" before a name, folders, and hidden files of macOS."""
    key = f"{'long' * 40}/7"
    (tmp_path / key).parent.mkdir()
    (tmp_path / f"{key}.JPEG").write_bytes(jpeg(3))
    (tmp_path / key).with_name("._7.JPEG").write_bytes(b"resource fork")
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with tarfile.open(tmp_path / "x.tar", "w", format=form) as tar:
            tar.add(tmp_path / ("long" * 40), f"./{'long' * 40}")
        index = index_shard(tmp_path / "x.tar")
        assert (index.names, index.labels, index.kind) == (
            (f"{key}.jpeg",),
            ("long" * 40,),
            "folder",
        )
        ((offset, size),) = index.places.tolist()
        assert (tmp_path / "x.tar").read_bytes()[offset : offset + size] == jpeg(3)


def bad(path: Path, members: list[Member], problem: str) -> None:
    write_shard(path, members)
    with pytest.raises(ValueError, match=problem) as error:
        index_shard(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_samples_that_are_not_whole_are_named(tmp_path: Path) -> None:
    good, path = sample("a", 1, 0), tmp_path / "x.tar"
    bad(path, [*good, *sample("b", 2)], "sample b has no label")
    bad(path, [*good, ("b.cls", b"1")], "sample b has no image among its members .cls")
    bad(path, [*good, *sample("b", 2, 1), ("b.png", b"")], "sample b has 2 images")
    bad(path, [*good, *sample("b", 2, 1), *sample("a", 3, 0)], "holds the key a twice")
    bad(path, [*good, ("a.jpg", b"")], "holds a.jpg twice")
    bad(path, [*good, *sample("b", 2, 1, "txt")], "sample b is labelled by .txt, and those before")
    bad(path, [*good, *sample("c/b", 2)], "sample c/b is labelled by its folder")
    bad(path, [("b.jpg", jpeg(1)), ("b.cls", b"")], r"sample b has no label \(its .cls is empty\)")
    bad(path, [], "holds no sample")


def test_a_shard_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    whole = write_shard(tmp_path / "x.tar", [*sample("a", 1, 0), *sample("b", 2, 1)]).read_bytes()
    index = index_shard(tmp_path / "x.tar")
    ends = np.cumsum(index.places, axis=1)[:, 1]
    last = len(whole.rstrip(b"\0"))
    # inside an image, inside a header, and between two members, where tar itself sees no error
    for size in (int(ends[0]) - 5, int(ends[1]) - 5, last - 1, -(-int(ends[0]) // 512) * 512, 100):
        (tmp_path / "x.tar").write_bytes(whole[:size])
        with pytest.raises(
            ValueError, match=r"was cut short, or is damaged: copy it again|not a tar"
        ):
            index_shard(tmp_path / "x.tar")
    second = -(-int(ends[0]) // 512) * 512
    (tmp_path / "x.tar").write_bytes(whole[:second] + b"?" * 512 + whole[second + 512 :])
    with pytest.raises(ValueError, match="cut short, or is damaged"):
        index_shard(tmp_path / "x.tar")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty: copy it again"),
        (gzip.compress(b"x"), "is compressed by gzip, and its images are read at random: unpack"),
        (b"no archive at all" * 100, "is not a tar archive"),
    ],
    ids=["empty", "gzip", "text"],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(ValueError, match=problem):
        index_shard(tmp_path / "x.tar")
