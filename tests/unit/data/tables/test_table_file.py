"""Tables are read from CSV, TSV and Parquet; a wrong one is refused with its reason."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from clip_hparam.data.tables.table_file import read_table


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.parquet"])
def test_rows_of_each_format_are_equal(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    if name == "a.parquet":
        columns = {"filename": ["x.png", "y.png"], "label": [7, 3], "extra": [1.5, 2.5]}
        parquet.write_table(pa.table({**columns, "split": ["train", "test"]}), file)
    else:
        lines = ["Filename,label,split", "x.png, 7,train", "y.png,3,test", ""]
        file.write_text("\n".join(lines).replace(",", "\t" if name == "a.tsv" else ","))
    rows = read_table(file)
    assert rows.paths == ("x.png", "y.png")
    assert rows.labels == ("7", "3")
    assert rows.splits == ("train", "test")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column path among"),
        ("path,label\n", "holds no row"),
        ("path,name\nx,a\n", "has no column label among path, name"),
        ("path,image,label\nx,x,a\n", "has path and image"),
        ("path,label\nx\n", "cannot be read as a table"),
        ("path,label\nx,a\ny,\n", "row 2 has an empty cell"),
        ("path,label\n/x,a\n", "/x is absolute"),
        ("path,label\nx,a\nx,b\n", "names x twice"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_table(tmp_path / "a.csv")


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 half")
    with pytest.raises(ValueError, match="cannot be read as a table"):
        read_table(tmp_path / "a.parquet")
