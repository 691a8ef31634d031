"""Index of a Parquet file of images: the row group, the row and the label of each image.

The images themselves are not read. Where a Parquet file does not say how large an image is, the
index knows the size of each row group, which is part of the fingerprint.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from clip_hparam.data.folders.names import cell_text
from clip_hparam.data.packs.pack_index import PackIndex
from clip_hparam.data.packs.parquet.features import Columns, find_columns

KIND = "column"
UNLABELLED = "-1"  # label in test sets whose labels are not published


def index_parquet(path: Path) -> PackIndex:
    """Return the index of a file.

    Raises: ValueError with one sentence for a file that is cut short or no Parquet, a missing
    column, an image without bytes, and an empty label.
    """
    from pyarrow import ArrowException, parquet  # lazy: pyarrow, 0.2 s

    try:
        with parquet.ParquetFile(path, pre_buffer=False) as file:
            return _index(path, file)
    except (ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:160]
        raise ValueError(
            f"{path} was cut short, or is not a Parquet file ({reason}): copy it again"
        ) from None


def _index(path: Path, file: Any) -> PackIndex:
    columns = find_columns(path, file.schema_arrow)
    groups = list(_groups(path, file.metadata, columns))
    labels = [cell_text(value) for value in _values(file, columns.label)]
    if not labels:
        raise ValueError(f"{path} holds no row: remove it")
    if "" in labels:
        raise ValueError(
            f"{path}: row {labels.index('') + 1} has no {columns.label}: fill it, or remove the row"
        )
    rows = [rows for rows, _ in groups]
    group_of = np.repeat(np.arange(len(rows)), rows)
    row = np.concatenate([np.arange(count) for count in rows])
    files = _values(file, columns.paths) if columns.paths else [None] * len(labels)
    sizes = [size for _, size in groups]
    return PackIndex(
        names=tuple(_name(number, name) for number, name in enumerate(files)),
        labels=tuple(labels),
        places=np.stack([group_of, row], axis=1).astype(np.int64),
        kind=f"{KIND} {columns.label}",
        classes=columns.classes,
        column=columns.image,
        content=hashlib.sha256(repr(groups).encode()).hexdigest(),
        group_size=sum(sizes) // max(1, len(sizes)),
    )


def _groups(path: Path, metadata: Any, columns: Columns) -> Iterator[tuple[int, int]]:
    """Yield the rows of each group and the bytes of its images."""
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        chunks = [group.column(index) for index in range(group.num_columns)]
        (chunk,) = [chunk for chunk in chunks if chunk.path_in_schema == columns.image]
        statistics = chunk.statistics
        if statistics is not None and statistics.has_null_count and statistics.null_count:
            raise ValueError(
                f"{path} holds {statistics.null_count:,} images by their path only, without bytes:"
                " write the data set again with the images in it"
            )
        yield group.num_rows, chunk.total_uncompressed_size


def _values(file: Any, column: str) -> list[Any]:
    """Return the values of a column, which may be a field of a struct."""
    (table,) = file.read(columns=[column], use_threads=False).columns
    _, _, field = column.partition(".")
    values = table.to_pylist()
    return [None if value is None else value[field] for value in values] if field else values


def _name(row: int, file: str | None) -> str:
    base = (file or "").rpartition("/")[2].replace("\0", "")
    return f"{row}-{base}" if base else str(row)
