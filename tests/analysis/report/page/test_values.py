"""JSON values and columns of the page: rounding, missing numbers, markup, scales."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from clip_hparam.analysis.evidence.searches.axes import is_logarithmic, plot_positions
from clip_hparam.analysis.report.page.columns import json_column
from clip_hparam.analysis.report.page.json_values import decimals, number, script_json


def test_numbers_without_a_value_are_null() -> None:
    assert [number(value) for value in (math.nan, math.inf, None, pd.NA)] == [None] * 4
    assert decimals(np.array([1.236, math.nan, math.inf]), 2) == [1.24, None, None]


def test_numbers_keep_six_digits_and_integers_stay_integers() -> None:
    assert number(0.123456789) == 0.123457
    assert (number(3.0), type(number(3.0))) == (3, int)


def test_no_text_ends_the_script_element() -> None:
    text = script_json({"label": "</script><script>a()</script>\u2028"})
    assert "<" not in text
    assert json.loads(text)["label"].startswith("</script>")


def test_texts_are_codes_of_levels_and_missing_is_a_level() -> None:
    values = ["weak", None, "weak", "strong", "weak", "weak", None]
    column = json_column("aug", "aug", "knob", pd.Series(values))
    texts = [column["levels"][code] for code in column["codes"]]
    assert texts == [value or "(missing)" for value in values]


def test_a_column_without_values_has_nulls() -> None:
    assert json_column("x", "x", "metric", pd.Series([math.nan, math.nan]))["values"] == [None] * 2


@pytest.mark.parametrize(
    ("name", "values", "logarithmic"),
    [
        ("lr", [1e-3, 2e-3], True),  # declared for all positive numbers
        ("lr", [1e-3, 1e-3], False),  # does not vary
        ("label_smoothing", [1e-3, 0.5], False),  # of a bounded interval
        ("weight_decay", [1e-4, 0.1], True),
        ("weight_decay", [0.05, 0.1], False),
        ("of another tool", [1.0, 100.0], True),
        ("of another tool", [-1.0, 100.0], False),
    ],
)
def test_scale_is_that_of_the_declaration(
    name: str, values: list[float], logarithmic: bool
) -> None:
    assert is_logarithmic(name, pd.Series(values)) is logarithmic


def test_zero_lies_below_a_logarithmic_axis() -> None:
    positions = plot_positions("weight_decay", pd.Series([0.0, 1e-3, 1e-1, math.nan]))
    assert positions.to_list() == pytest.approx([-5.0, -3.0, -1.0, -7.0])
