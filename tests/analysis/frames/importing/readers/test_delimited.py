"""CSV files: separators, byte-order marks, quotes, lines of another length, exports of tools."""

from pathlib import Path

import pytest

from clip_hparam.analysis.frames.importing.readers.delimited import read_delimited


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separators_and_encodings_give_one_table(
    tmp_path: Path, separator: str, encoding: str
) -> None:
    lines = [["run", " lr ", "note"], ["a", "0.1", '"x, y; z"'], ["é", "", "None"]]
    text = "".join(separator.join(line) + "\r\n" for line in lines)
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    rows = read_delimited(tmp_path / "t.csv").rows
    assert list(rows) == ["run", "lr", "note"]
    assert rows.to_numpy().tolist() == [["a", "0.1", "x, y; z"], ["é", None, "None"]]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a,b\n1,2\n3\n", "line 3 has 1 fields, the header 2"),
        (b"a,b\n1,2,3\n", "line 2 has 3 fields, the header 2"),
        (b"a,b,a\n1,2,3\n", "the header has 'a' twice"),
        (b"a,b\n1,\xe9\n", "is not text in UTF-8"),
        (b'a,b\n1,"2\n', "line 2"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(ValueError, match=sentence):
        read_delimited(tmp_path / "t.csv")


def test_a_declared_separator_wins(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("sep=;\na;b,c\n1;2\n")
    assert list(read_delimited(tmp_path / "t.csv").rows) == ["a", "b,c"]


def test_spaces_after_separators_are_no_part_of_values_if_the_header_has_them(
    tmp_path: Path,
) -> None:
    (tmp_path / "t.csv").write_text('id, aug, note\n7, weak, "a, b"\n')
    assert read_delimited(tmp_path / "t.csv").rows.to_numpy().tolist() == [["7", "weak", "a, b"]]
    (tmp_path / "t.csv").write_text("id,aug\n 7, weak\n")
    assert read_delimited(tmp_path / "t.csv").rows.to_numpy().tolist() == [[" 7", " weak"]]


def test_only_row_numbers_without_a_header_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(",lr\n0,1\n1,2\n")
    assert list(read_delimited(tmp_path / "t.csv").rows) == ["lr"]
    (tmp_path / "t.csv").write_text(",lr\nx1,1\nx2,2\n")
    assert list(read_delimited(tmp_path / "t.csv").rows) == ["Unnamed: 0", "lr"]


def test_dictionaries_of_a_wandb_frame_become_columns(tmp_path: Path) -> None:
    lines = [
        [",summary,config,name,state"],
        ["0", "{'acc': 0.5, 'max': {'acc': nan}}", "{'lr': 0.1, 'opt': {'name': 'None'}}"],
        ["1", "{'acc': inf}", "{'lr': 0.2, 'opt': {'name': 'nan'}}"],
    ]
    header, *rows = [",".join(f'"{f}"' if "{" in f else f for f in line) for line in lines]
    text = "\n".join([header, f"{rows[0]},a,finished", f"{rows[1]},b,crashed"])
    (tmp_path / "project.csv").write_text(text)
    source = read_delimited(tmp_path / "project.csv")
    assert (source.format, source.roles.knobs) == ("wandb", ("lr", "opt.name"))
    assert (source.roles.name, source.roles.state) == ("name", "state")
    assert list(source.rows["acc"]) == ["0.5", None]
    assert list(source.rows["opt.name"]) == ["None", "nan"]
