"""An index is kept by path, size and modification time of its pack."""

import os
from pathlib import Path

import numpy as np
import pytest

from clip_hparam.data.packs.pack_index import PackIndex, indexed

INDEX = PackIndex(
    names=("a/1.jpg", "é.jpg"),
    labels=("0", "cat"),
    places=np.array([[512, 7], [2**40, 3]]),
    kind="cls",
    classes=("x", "y"),
    column="image.bytes",
    content="abc",
    group_size=9,
)


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))
    (tmp_path / "x.tar").write_bytes(b"12345")
    os.utime(tmp_path / "x.tar", (1, 1))
    return tmp_path / "x.tar"


def counted(calls: list[Path]) -> object:
    def build(path: Path) -> PackIndex:
        calls.append(path)
        return INDEX

    return build


def test_a_pack_that_has_not_changed_is_indexed_once(pack: Path) -> None:
    calls: list[Path] = []
    for _ in range(2):
        stamp, found = indexed(pack, counted(calls))  # type: ignore[arg-type]
        assert (stamp.size, stamp.column) == (5, "image.bytes")
        np.testing.assert_array_equal(found.places, INDEX.places)
        for name in ("names", "labels", "kind", "classes", "column", "content", "group_size"):
            assert getattr(found, name) == getattr(INDEX, name)
    assert len(calls) == 1
    os.utime(pack, (2, 2))
    indexed(pack, counted(calls))  # type: ignore[arg-type]
    pack.write_bytes(b"123456")
    os.utime(pack, (2, 2))
    indexed(pack, counted(calls))  # type: ignore[arg-type]
    assert len(calls) == 3


def test_a_pack_that_changed_just_now_or_a_damaged_entry_is_not_trusted(pack: Path) -> None:
    calls: list[Path] = []
    indexed(pack, counted(calls))  # type: ignore[arg-type]
    (entry,) = (pack.parent / "cache" / "packs").iterdir()
    entry.write_text(entry.read_text().replace('"0\\u0000cat"', '"0"'))
    indexed(pack, counted(calls))  # type: ignore[arg-type]
    assert len(calls) == 2
    entry.unlink()
    os.utime(pack)
    for _ in range(2):
        indexed(pack, counted(calls))  # type: ignore[arg-type]
    assert len(calls) == 4
