"""The charts of a search, a sampled design or an imported table as JSON."""

from typing import Any

import numpy as np
import pandas as pd

from clip_hparam.analysis.evidence.searches.axes import plot_positions
from clip_hparam.analysis.evidence.searches.dependence import partial_dependence
from clip_hparam.analysis.evidence.searches.importance import Importance
from clip_hparam.analysis.frames.frame import Frames, ended_trials
from clip_hparam.analysis.frames.manifests import SweepManifest
from clip_hparam.analysis.frames.trial_table import TrialTable
from clip_hparam.analysis.report.page.cached_results import call_cached
from clip_hparam.analysis.report.page.columns import json_column
from clip_hparam.analysis.report.page.curves import reported_accuracy
from clip_hparam.analysis.report.page.json_values import decimals, number, numbers
from clip_hparam.analysis.report.page.surface import surface_json
from clip_hparam.analysis.stats.expected_best import expected_best
from clip_hparam.records.state import TrialState

MAX_ROWS = 10_000
MAX_KNOBS = 12  # with a chart of their own
MAX_LINES = 500  # curves in the chart of intermediate values


def search_json(
    key: str,
    title: str,
    table: TrialTable,
    shares: Importance,
    frames: Frames,
    sweep: SweepManifest | None,
) -> dict[str, Any]:
    """Return the charts of a search; `shares`: importance of its knobs, {} where unknown."""
    ordered = _in_order(table.rows, sweep).head(MAX_ROWS)
    knobs = ordered_knobs(table, shares)
    scored = table._replace(rows=ordered)
    return {
        "key": key,
        "title": title,
        "objective": table.objective_title,
        "minimize": table.minimize,
        "names": [str(name) for name in ordered.index],
        "values": numbers(ordered[table.objective]),
        "pruned": _pruned_rows(frames, ordered) if table.ours else [],
        "knobs": [_knob(knob, ordered[knob]) for knob in knobs[:MAX_KNOBS]],
        "more_knobs": max(len(knobs) - MAX_KNOBS, 0),
        "importance": {
            method: [[knob, *numbers(share, 4)] for knob, share in by_knob.items()]
            for method, by_knob in shares.items()
        },
        "dependence": call_cached(partial_dependence, scored, knobs[:MAX_KNOBS]),
        "surface": surface_json(scored, knobs[:2]),
        "expected": _expected(table),
        "curves": _intermediate(frames, ordered) if table.ours else [],
    }


def ordered_knobs(table: TrialTable, shares: Importance) -> list[str]:
    """Return the knobs, the most important first; without importance by rank correlation."""
    if shares:
        means = next(iter(shares.values()))
        return sorted(table.knobs, key=lambda knob: -means[knob].mean)
    gains = table.gains
    strength = {knob: abs(_rank_correlation(table.scored[knob], gains)) for knob in table.knobs}
    return sorted(table.knobs, key=lambda knob: -strength[knob])


def _rank_correlation(values: pd.Series, gains: pd.Series) -> float:
    positions = plot_positions(str(values.name), values)
    if positions.dtype == object or positions.nunique() < 2 or gains.nunique() < 2:
        return 0.0
    return float(np.nan_to_num(positions.astype(float).corr(gains, method="spearman")))


def _in_order(rows: pd.DataFrame, sweep: SweepManifest | None) -> pd.DataFrame:
    """Return the rows in the order in which the sweep planned them."""
    if sweep is None:
        return rows
    order = [trial_id for trial_id in sweep.trial_ids if trial_id in rows.index]
    return rows.loc[order] if len(order) == len(rows) else rows


def _knob(knob: str, values: pd.Series) -> dict[str, Any]:
    return json_column(knob, knob, "knob", values.reset_index(drop=True))


def _pruned_rows(frames: Frames, rows: pd.DataFrame) -> list[int]:
    """Return the positions of the rows that were pruned."""
    ended = ended_trials(frames._replace(sweeps=[]))
    pruned = set(ended.loc[ended["status"] == TrialState.PRUNED, "trial_id"])
    return [row for row, name in enumerate(rows.index) if name in pruned]


def _expected(table: TrialTable) -> list[list[Any]]:
    """Return pairs of a number of trials and the expected best objective of so many."""
    values = table.scored[table.objective].astype(float).to_numpy()
    if len(values) < 2:
        return []
    sizes = np.unique(np.geomspace(1, len(values), min(len(values), 40)).round().astype(int))
    return [[int(n), number(expected_best(values, int(n), table.minimize))] for n in sizes]


def _intermediate(frames: Frames, rows: pd.DataFrame) -> list[list[float | None]]:
    """Return the reported selection accuracy by epoch of the first trials; [] without epochs."""
    names = list(rows.index[:MAX_LINES])
    epochs = frames.epochs[frames.epochs["trial_id"].isin(names)].sort_values("epoch")
    if epochs.empty:
        return []
    by_trial = reported_accuracy(epochs).groupby(epochs["trial_id"])
    lines = {str(name): decimals(values, 2) for name, values in by_trial}
    return [lines.get(str(name), []) for name in names]
