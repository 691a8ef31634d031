"""Read single images of Parquet files: a row group at a time, the last ones are kept."""

from collections import OrderedDict
from typing import Any

from clip_hparam.data.packs.pack_index import Pack, stamped

KEPT_BYTES = 128 * 2**20  # bytes of row groups per process; the last group is always kept


class RowGroups:
    """Row groups in memory, those that were used last. A file is open only while it is read."""

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self.limit = limit
        self._kept: OrderedDict[tuple[Pack, int], Any] = OrderedDict()

    def read(self, pack: Pack, group: int, row: int) -> bytes:
        """Return the bytes of an image. Raises OSError, and ValueError for a damaged file."""
        key = pack, group
        if key in self._kept:
            self._kept.move_to_end(key)
        else:
            self._kept[key] = _read_group(pack, group)
            self._forget()
        content = self._kept[key][row].as_py()
        if content is None:
            raise ValueError("its row has no bytes")
        return bytes(content)

    def _forget(self) -> None:
        while len(self._kept) > 1 and sum(kept.nbytes for kept in self._kept.values()) > self.limit:
            self._kept.popitem(last=False)


def _read_group(pack: Pack, group: int) -> Any:
    """Return the images of a row group as one array of bytes."""
    from pyarrow import parquet  # lazy: pyarrow, 0.2 s

    if stamped(pack.path, pack.column) != pack:
        raise ValueError(f"{pack.path.name} was changed after it was indexed")
    # without threads: workers are forked
    with parquet.ParquetFile(pack.path, memory_map=True, pre_buffer=False) as file:
        table = file.read_row_group(group, columns=[pack.column], use_threads=False)
    column = table.column(0).combine_chunks()
    name = pack.column.partition(".")[2]
    return column.field(name) if name else column


_ROW_GROUPS = RowGroups()


def read_row(pack: Pack, group: int, row: int) -> bytes:
    """Return an image of a Parquet file, see `RowGroups.read`."""
    return _ROW_GROUPS.read(pack, group, row)
