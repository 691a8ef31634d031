"""The charts of a search: the strongest knobs, bins that differ, dependence, and large tables."""

import math

import numpy as np
import pandas as pd
import pytest
from support.trial_factory import Runs

from clip_hparam.analysis.evidence.searches.dependence import partial_dependence
from clip_hparam.analysis.frames.importing.import_table import to_trial_table
from clip_hparam.analysis.frames.trial_table import TrialTable
from clip_hparam.analysis.report import report
from clip_hparam.analysis.report.page import searches
from clip_hparam.analysis.report.page.cached_results import call_cached
from clip_hparam.analysis.report.page.searches import ordered_knobs, search_json
from clip_hparam.analysis.report.page.surface import surface_json, welch_p


def table_of(rows: int, knobs: int = 3) -> TrialTable:
    """Return a table in which the first knob decides; the second matters little."""
    draw = np.random.default_rng(0)
    columns = {f"knob{number}": draw.random(rows) for number in range(knobs)}
    values = pd.DataFrame(columns)
    values["score"] = 10 * values["knob0"] + values["knob1"] + draw.normal(0, 0.1, rows)
    return to_trial_table(values, list(columns), [], "score")


def tree_of(table: TrialTable, runs: Runs) -> dict[str, object]:
    return search_json("imported", "a table", table, {}, runs.frames(), None)


def test_a_hundred_knobs_show_the_strongest(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of(60, knobs=100)
    monkeypatch.setattr(searches, "partial_dependence", lambda table, knobs: [])
    tree = tree_of(table, runs)
    assert tree["knobs"][0]["name"] == "knob0"  # type: ignore[index]
    assert len(tree["knobs"]) == searches.MAX_KNOBS  # type: ignore[arg-type]
    assert tree["more_knobs"] == 100 - searches.MAX_KNOBS
    assert ordered_knobs(table, {})[0] == "knob0"


def test_rows_beyond_the_limit_are_left_out(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searches, "partial_dependence", lambda table, knobs: [])
    tree = tree_of(table_of(100_000), runs)
    assert len(tree["values"]) == searches.MAX_ROWS  # type: ignore[arg-type]


def test_bins_far_from_the_best_are_distinguished() -> None:
    surface = surface_json(table_of(400), ["knob0", "knob1"])
    assert surface is not None
    (chosen,) = (pair for pair in surface["pairs"] if pair["chosen"])
    assert chosen["x"] == 5
    assert all(pair["apart"] for pair in surface["pairs"] if pair["x"] < 3 and pair["n"] > 1)
    assert {pair["apart"] for pair in surface["pairs"] if pair["n"] == 1} <= {None}


def test_few_rows_have_no_surface() -> None:
    assert surface_json(table_of(8), ["knob0", "knob1"]) is None


def test_welch_needs_two_values_and_a_spread() -> None:
    assert math.isnan(welch_p(np.array([1.0]), np.array([1.0, 2.0])))
    assert math.isnan(welch_p(np.array([1.0, 1.0]), np.array([2.0, 2.0])))
    assert welch_p(np.array([1.0, 1.1, 0.9]), np.array([5.0, 5.1, 4.9])) < 1e-4


def test_dependence_follows_the_knob_that_matters() -> None:
    strong, weak = partial_dependence(table_of(80), ["knob0", "knob2"])
    assert np.ptp(strong["mean"]) > 10 * np.ptp(weak["mean"])
    assert strong["mean"][-1] > strong["mean"][0]
    ends = zip(strong["low"], strong["mean"], strong["high"], strict=True)
    assert all(low <= mean <= high for low, mean, high in ends)


def test_an_equal_table_is_computed_once() -> None:
    calls = []

    def slow(table: TrialTable) -> int:
        calls.append(len(table.rows))
        return len(calls)

    table = table_of(20)
    found = [call_cached(slow, each) for each in (table, table, table_of(21))]
    assert found == [1, 1, 2]


def test_records_without_any_number_make_a_page(runs: Runs) -> None:
    runs.planned({"lr": 1e-3})
    runs.sweep("lr", {"a": {"lr": 1e-3}, "b": {"lr": 2e-3}}, seeds=[0])
    page = report.render_html(report.report_page(runs.frames()))
    assert "0 of 1 trial done" in page
    assert "NaN" not in page.partition('id="report-data">')[2].partition("</script>")[0]
