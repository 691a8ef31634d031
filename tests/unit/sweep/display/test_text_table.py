"""Labels break after separators only, and tables fit where the pieces of their labels do."""

import pytest

from clip_hparam.sweep.display.text_table import (
    Column,
    cut_wide_pieces,
    table_lines,
    wrap_label,
)

COLUMNS = (Column("cell", wraps=True), Column("acc1, %", right=True))


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("lr=0.003,layer_decay=0.65", 16, ["lr=0.003,", "layer_decay=0.65"]),
        ("lr=0.003,layer_decay=0.65", 25, ["lr=0.003,layer_decay=0.65"]),
        ("mixup+cutmix+ema", 8, ["mixup+", "cutmix+", "ema"]),
        ("recipe=ema lr=0.1", 12, ["recipe=ema", "lr=0.1"]),
        ("lr=0.003,layer_decay=0.65 *", 18, ["lr=0.003,", "layer_decay=0.65 *"]),
        ("a_word_without_any_separator", 5, ["a_word_without_any_separator"]),
        ("数据=手写,lr=1", 10, ["数据=手写,", "lr=1"]),
        ("", 5, [""]),
    ],
)
def test_a_label_breaks_after_separators(text: str, width: int, lines: list[str]) -> None:
    assert wrap_label(text, width) == lines


def test_lines_of_a_table_fit_the_width_and_keep_every_word() -> None:
    words = [f"knob_{n}=0.{n}" for n in range(8)]
    rows = [[",".join(words), "95.71 ± 0.91"], ["short", "1.00"]]
    lines = [line for _, line in table_lines(COLUMNS, rows, width=40)]
    assert max(map(len, lines)) <= 40
    text = " ".join(lines)
    assert all(word in text for word in words)


def test_a_piece_wider_than_the_terminal_is_not_broken() -> None:
    word = "data.root=" + "x" * 60
    lines = [line for _, line in table_lines(COLUMNS, [[word, "1.00"]], width=40)]
    assert any(word in line for line in lines)


def test_numbers_are_right_aligned_and_empty_columns_are_left_out() -> None:
    columns = (*COLUMNS, Column("empty"))
    lines = [line for _, line in table_lines(columns, [["a", "9.5", ""], ["b", "10.5", ""]], 80)]
    assert lines[-2:] == ["a       9.5", "b      10.5"]
    assert not any("empty" in line for line in lines)


def test_a_short_head_is_one_line_and_a_long_one_two() -> None:
    columns = (Column("cell", wraps=True), Column("to do", right=True), Column("selection acc1, %"))
    lines = [line for _, line in table_lines(columns, [["a,b,c", "3", "9.5"]], width=22)]
    assert lines[0].split() == ["cell", "to", "do", "selection"]
    assert lines[1].split() == ["acc1,", "%"]


def test_pieces_too_wide_for_a_terminal_are_cut_in_their_middle() -> None:
    path = "encoder.pretrained=/data/" + "folder/" * 12 + "epoch_10.safetensors *"
    rows = [[path, "96.50"], ["lr=0.1,mixup=0.8", "95.00"]]
    cut = cut_wide_pieces(COLUMNS, rows, 60)
    assert max(len(line) for _, line in table_lines(COLUMNS, cut, 60)) == 60
    assert cut[0][0].startswith("encoder.pretrained=/data/")
    assert cut[0][0].endswith("epoch_10.safetensors *")
    assert cut[1] == rows[1]
    assert cut_wide_pieces(COLUMNS, rows, 200) == rows
