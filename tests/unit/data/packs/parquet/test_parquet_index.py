"""The index of a Parquet file says in which row group and row each image is."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from support.pack_files import write_parquet

from clip_hparam.data.packs.parquet.parquet_index import index_parquet


def test_places_are_row_groups_and_rows(tmp_path: Path) -> None:
    index = index_parquet(write_parquet(tmp_path / "x.parquet", [2, 0, 1, 1, 0], group=2))
    assert index.names == ("0-0.JPEG", "1-1.JPEG", "2-2.JPEG", "3-3.JPEG", "4-4.JPEG")
    assert index.labels == ("2", "0", "1", "1", "0")
    assert index.places.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0]]
    assert (index.classes, index.column) == (("cat", "dog", "owl"), "image.bytes")
    assert 500 < index.group_size < 10_000


def test_content_differs_with_the_images(tmp_path: Path) -> None:
    one = index_parquet(write_parquet(tmp_path / "a.parquet", [0, 1]))
    other = index_parquet(write_parquet(tmp_path / "b.parquet", [0, 1], first_seed=5))
    again = index_parquet(write_parquet(tmp_path / "c.parquet", [0, 1]))
    assert one.content == again.content != other.content


def test_texts_are_labels_without_metadata(tmp_path: Path) -> None:
    index = index_parquet(write_parquet(tmp_path / "x.parquet", ["b", "a"], names=None))
    assert (index.labels, index.classes) == (("b", "a"), ())


def write(path: Path, images: list[object], labels: list[object]) -> Path:
    struct = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    parquet.write_table(pa.table({"image": pa.array(images, struct), "label": labels}), path)
    return path


def test_files_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    image = {"bytes": b"x", "path": None}
    linked = write(path, [image, {"bytes": None, "path": "a.jpg"}], [0, 1])
    with pytest.raises(ValueError, match="holds 1 images by their path only, without bytes"):
        index_parquet(linked)
    with pytest.raises(ValueError, match="row 2 has no label: fill it"):
        index_parquet(write(path, [image, image], [0, None]))
    with pytest.raises(ValueError, match="holds no row: remove it"):
        index_parquet(write(path, [], pa.array([], pa.int64())))
    whole = write_parquet(path, [0, 1, 2]).read_bytes()
    for content in (whole[:-9], whole[:50], b"", b"no parquet"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="was cut short, or is not a Parquet file") as error:
            index_parquet(path)
        assert "\n" not in str(error.value)
