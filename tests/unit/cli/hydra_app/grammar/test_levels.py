"""Hydra's grammar splits the texts of levels and keeps their spelling, which search ids hash."""

from decimal import Decimal

import pytest
from hydra.errors import HydraException
from hypothesis import given
from hypothesis import strategies as st

from clip_hparam.cli.hydra_app.grammar.levels import (
    override_levels,
    split_design_levels,
    split_levels,
)
from clip_hparam.cli.hydra_app.grammar.words import parse_word


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("1e-3", ["1e-3"]),
        ("1e-3,3e-3", ["1e-3", "3e-3"]),
        ("cls , patch_mean", ["cls", "patch_mean"]),
        ("choice(0,.8)", ["0", ".8"]),
        ("[0, auto]", ["0", "auto"]),
        ("interval(.5,1)", ["interval(.5,1)"]),
        ("tag(log, int(interval(1, 5)))", ["tag(log, int(interval(1, 5)))"]),
        ("0, interval(0.2, 1)", ["0", "interval(0.2, 1)"]),
        ("choice(0, 'interval(0.2,1)')", ["0", "interval(0.2,1)"]),
        ("none,rand-m9-mstd0.5-inc1", ["none", "rand-m9-mstd0.5-inc1"]),
        ("'interval(1,2)'", ["interval(1,2)"]),
        ("", [""]),
        ("choice()", []),
    ],
)
def test_text_is_split_into_levels_as_they_are_written(text: str, levels: list[str]) -> None:
    assert split_levels(text) == levels


@pytest.mark.parametrize("text", ["1,", "interval(0, 1", "[0, 1"])
def test_incomplete_text_is_rejected(text: str) -> None:
    with pytest.raises(HydraException):
        split_levels(text)


def test_an_unreadable_text_of_a_design_file_is_a_path_or_refused() -> None:
    read = split_design_levels({"knobs": {"data.root": "/d/\u00e9"}})
    assert read["knobs"] == {"data.root": ["/d/\u00e9"]}
    with pytest.raises(ValueError, match=r"write a list, lr: \[first, second\]"):
        split_design_levels({"knobs": {"lr": "1e-3;3e-3"}})


def test_texts_of_a_design_file_are_split_and_lists_are_kept() -> None:
    tree = {"name": "d", "knobs": {"pool": "choice(cls, clip)", "mixup": [0, "interval(0.2, 1)"]}}
    assert split_design_levels(tree) == {
        "name": "d",
        "knobs": {"pool": ["cls", "clip"], "mixup": [0, "interval(0.2, 1)"]},
    }
    for knobs in (None, "lr", ["lr"]):
        assert split_design_levels({"name": "d", "knobs": knobs}) == {"name": "d", "knobs": knobs}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("range(0.5,0.9,0.1)", [0.5, 0.6, 0.7, 0.8]),
        ("range(0.1,0.5,0.1)", [0.1, 0.2, 0.3, 0.4]),
        ("range(0.9,0.5,-0.15)", [0.9, 0.75, 0.6]),
        ("sort(range(0.9,0.5,-0.15))", [0.6, 0.75, 0.9]),
        ("sort( range(0.5,0.9,0.15) , reverse=true )", [0.8, 0.65, 0.5]),
        ("sort(choice(0.9,0.5))", [0.5, 0.9]),
        ("range(3)", [0, 1, 2]),
        ("range(2,9,3)", [2, 5, 8]),
    ],
)
def test_a_range_lists_its_exact_numbers(text: str, numbers: list[float]) -> None:
    assert override_levels(parse_word(f"k={text}")) == [str(number) for number in numbers]
    assert split_levels(text) == [str(number) for number in numbers]


@given(st.integers(-50, 50), st.integers(1, 30), st.integers(1, 40), st.integers(0, 3))
def test_a_range_counts_in_decimal(start: int, step: int, count: int, places: int) -> None:
    scale = Decimal(10) ** -places
    low, by = start * scale, step * scale
    text = f"range({low:f},{low + count * by:f},{by:f})"
    expected = [float(low + index * by) for index in range(count)]
    assert [float(level) for level in split_levels(text)] == expected
    assert [float(level) for level in split_levels(f"sort({text},reverse=true)")] == expected[::-1]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("shuffle(1,2)", "another order each time"),
        ("float(sort(range(9,5,-3)))", "list the levels"),
        ("range(3,1,0)", "a step other than 0"),
        ("glob(*)", "chooses files of a config group"),
    ],
)
def test_functions_without_sense_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        split_levels(text)


def test_levels_of_the_command_line_keep_texts_and_references() -> None:
    word = "data.root=/d/a b,'c,d',${seed},\\${x}"
    assert override_levels(parse_word(word))[:3] == ['"/d/a b"', "'c,d'", "${seed}"]
    assert override_levels(parse_word("lr=1e-3,auto")) == ["0.001", "auto"]
