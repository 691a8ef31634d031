"""Ids and levels survive CSV, Parquet and the frames exactly; numbers are numbers."""

import csv
import io
import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clip_hparam.analysis.frames.importing.import_table import to_trial_table
from clip_hparam.analysis.frames.importing.levels import (
    decimal_mark,
    to_ids,
    to_levels,
    to_numbers,
    to_seeds,
)
from clip_hparam.analysis.frames.importing.readers.delimited import read_delimited
from clip_hparam.analysis.frames.importing.table_files import read_trial_table, write_trial_table

WORDS = ["None", "null", "NA", "nan", "True", "007", "7", "1e5", "5381e182", " a ", "a", "é,;\t\"'"]
TEXTS = st.one_of(
    st.sampled_from(WORDS), st.text(st.characters(exclude_categories=["C"]), min_size=1)
)
CLEAN = TEXTS.filter(lambda text: text.strip() != "")


def text_series(*values: str | None) -> pd.Series:
    return pd.Series(values, dtype=object, name="knob")


@settings(max_examples=60, deadline=None)
@given(ids=st.lists(CLEAN, min_size=1, max_size=8, unique=True), separator=st.sampled_from(",;\t|"))
def test_ids_of_a_csv_are_the_names_of_the_stored_rows(
    ids: list[str], separator: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("ids")
    buffer = io.StringIO()
    rows = [["id", "lr", "acc"], *([name, "0", str(n)] for n, name in enumerate(ids))]
    csv.writer(buffer, delimiter=separator).writerows(rows)
    (folder / "t.csv").write_text(buffer.getvalue(), encoding="utf-8-sig", newline="")
    source = read_delimited(folder / "t.csv")
    table = to_trial_table(source.rows, ["lr"], [], "acc", name="id")
    write_trial_table(table, folder / "t.csv", folder / "kept")
    kept = read_trial_table(folder / "kept")
    assert list(kept.rows.index) == ids
    assert list(kept.rows["acc"]) == [float(n) for n in range(len(ids))]


@given(st.lists(CLEAN, min_size=1, max_size=6), st.sampled_from(["adam", "x"]))
def test_each_text_is_a_level_where_the_column_has_one(texts: list[str], other: str) -> None:
    assert list(to_levels(text_series(*texts, other))) == [*texts, other]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=6))
def test_numbers_are_read_exactly_and_words_beside_them_are_missing(numbers: list[float]) -> None:
    levels = to_levels(text_series(*map(repr, numbers), "None", "NA", "", None))
    assert levels.dtype == float
    assert list(levels[: len(numbers)]) == numbers
    assert levels[len(numbers) :].isna().all()


@pytest.mark.parametrize(
    ("texts", "levels"),
    [
        (["None", "null", "NA"], ["None", "null", "NA"]),  # no number: three levels
        (["1", "2"], [1, 2]),
        (["0.1", "0.10", "1e-1"], [0.1, 0.1, 0.1]),
        (["007", "7"], ["007", "7"]),
        (["1234567890123456789", "1234567890123456788"],) * 2,
        (["inf", "1"], ["inf", "1"]),
        (["True", "False"], ["True", "False"]),
        (["0x10", "1_000"], ["0x10", "1_000"]),
    ],
)  # fmt: skip
def test_levels_by_example(texts: list[str], levels: list[object]) -> None:
    assert list(to_levels(text_series(*texts))) == levels


def test_metrics_are_numbers_or_missing() -> None:
    read = to_numbers(text_series("81.5", "nan", "", "Infinity", "null", "5381e1"))
    assert list(read.fillna(-1)) == [81.5, -1, -1, -1, -1, 53810]
    for wrong in ("81 %", "high", "1_000", "0,5"):
        with pytest.raises(ValueError, match="knob is not a metric"):
            to_numbers(text_series("81.5", wrong))
    with pytest.raises(ValueError, match="True is not a number"):
        to_numbers(pd.Series([True, False], name="knob"))


@pytest.mark.parametrize(
    ("texts", "mark"),
    [(["0,5", "1"], ","), (["0.5", "1"], "."), (["0,5", "0.5"], "."), (["a,b"], "."), ([], ".")],
)
def test_commas_are_decimal_only_where_no_number_has_a_point(texts: list[str], mark: str) -> None:
    assert decimal_mark([text_series(*texts)]) == mark
    if mark == ",":
        assert to_numbers(text_series(*texts), mark)[0] == 0.5


def test_seeds_are_whole_numbers_or_numbered_names() -> None:
    assert list(to_seeds(text_series("1", "01", "2.0"))) == [1, 1, 2]
    assert list(to_seeds(text_series("fold b", "fold a", "fold b"))) == [1, 0, 1]
    assert to_seeds(text_series("1", "", "None", None)).isna().to_list() == [
        False,
        True,
        True,
        True,
    ]


def test_ids_of_typed_columns_have_no_decimals() -> None:
    assert to_ids(pd.Series([53811182.0, math.nan])) == ["53811182", None]
    assert to_ids(pd.Series(["007", 7], dtype=object)) == ["007", "7"]
