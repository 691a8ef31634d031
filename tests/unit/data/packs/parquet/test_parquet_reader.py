"""Images are read by their row group; the last groups are kept in memory."""

from pathlib import Path

import pytest
from support.pack_files import jpeg, write_parquet

from clip_hparam.data.packs.pack_index import stamped
from clip_hparam.data.packs.parquet import parquet_reader
from clip_hparam.data.packs.parquet.parquet_reader import RowGroups


def test_images_are_those_of_their_rows(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "x.parquet", [0] * 5, group=2)
    pack = stamped(path, "image.bytes")
    reader = RowGroups()
    assert [reader.read(pack, n // 2, n % 2) for n in (4, 0, 3, 1, 2)] == [
        jpeg(n) for n in (4, 0, 3, 1, 2)
    ]


@pytest.mark.parametrize(("limit", "reads"), [(2**20, 3), (0, 5)])
def test_a_group_is_read_once_while_it_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, reads: int
) -> None:
    pack = stamped(write_parquet(tmp_path / "x.parquet", [0] * 6, group=2), "image.bytes")
    read, groups = parquet_reader._read_group, []

    def counted(pack: object, group: int) -> object:
        groups.append(group)
        return read(pack, group)  # type: ignore[arg-type]

    monkeypatch.setattr(parquet_reader, "_read_group", counted)
    reader = RowGroups(limit)
    for group in (0, 0, 1, 2, 0, 1):
        reader.read(pack, group, 0)
    assert len(groups) == reads


def test_a_file_that_has_changed_is_refused(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "x.parquet", [0, 1])
    pack = stamped(path, "image.bytes")
    write_parquet(path, [0, 1, 2])
    with pytest.raises(ValueError, match=r"x.parquet was changed after it was indexed"):
        RowGroups().read(pack, 0, 0)
