"""Summarise a table of trials as a JSON object and as text."""

import math
from typing import Any, NamedTuple

from clip_hparam.analysis.evidence.searches.importance import Importance, importance
from clip_hparam.analysis.frames.frame import Frames, ended_trials
from clip_hparam.analysis.frames.labels import format_knob
from clip_hparam.analysis.frames.manifests import SweepManifest
from clip_hparam.analysis.frames.trial_table import TrialTable, is_numeric, to_json_value
from clip_hparam.analysis.stats.expected_best import expected_best
from clip_hparam.config.knob import is_boundary_value
from clip_hparam.config.recipe import knobs
from clip_hparam.records.state import TrialState

TRIAL_BUDGETS = (1, 2, 5, 10, 20, 40)
MIN_PAIRS = 3  # of a rank correlation: with two pairs it is always 1 or -1


def summarise(table: TrialTable) -> tuple[dict[str, Any], list[str]]:
    """Return the summary as a JSON object, and a sentence for each part that is missing in it."""
    gaps: list[str] = []
    if missing := len(table.rows) - len(table.scored):
        gaps.append(f"{missing} rows have no {table.objective} and do not count in best")
    shares: Importance = {}
    try:
        shares = importance(table)
    except ValueError as error:
        gaps.append(f"no importance: {error}")
    return summary_dict(table, shares), gaps


def summary_dict(table: TrialTable, importances: Importance) -> dict[str, Any]:
    """Return the summary as a JSON object, with importances that were computed before."""
    return {
        "n": len(table.rows),
        "duplicates": table.duplicates,
        "incomplete": table.incomplete,
        "best": _best_row(table),
        "spearman": _rank_correlations(table),
        "expected_best": _expected_best(table),
        "importance": {
            method: {knob: share._asdict() for knob, share in shares.items()}
            for method, shares in importances.items()
        },
        "edges": boundary_knobs(table),
    }


def boundary_knobs(table: TrialTable) -> list[str]:
    """Return the numeric knobs whose value in the best row is the lowest or highest tried.

    Empty if the objective does not vary, since any row is then the best.
    """
    best = table.best
    return [
        knob
        for knob in table.knobs
        if best is not None
        and table.gains.nunique() > 1
        and is_numeric(table.rows[knob])
        and table.rows[knob].nunique() > 1
        and best[knob] in (table.rows[knob].min(), table.rows[knob].max())
    ]


def boundary_warnings(table: TrialTable) -> list[str]:
    """Return a sentence for each boundary knob whose legal range extends further."""
    best = table.best
    sentences = []
    for knob in boundary_knobs(table):
        assert best is not None
        if knob in knobs() and is_boundary_value(
            float(best[knob]), knobs()[knob].metadata["legal"]
        ):
            continue
        end = "largest" if best[knob] == table.rows[knob].max() else "smallest"
        sentences.append(
            f"best {knob} is the {end} tried, {format_knob(to_json_value(best[knob]))}: widen"
        )
    return sentences


def format_summary(summary: dict[str, Any], table: TrialTable) -> str:
    """Format the JSON object as text, in the same order."""
    goal = f"{'lowest' if table.minimize else 'highest'} {table.objective}"
    rows = f"cells, means of {table.averaged} trials" if table.averaged else "trials"
    left_out = summary["incomplete"] + sum(table.left_out.values()) + table.unseeded
    counts = f"{summary['duplicates']} duplicates kept, {left_out} rows left out"
    lines = [f"{summary['n']} {rows}{_unscored_text(table)}; {counts}"]
    if best := summary["best"]:
        lines += ["", f"{goal}: {best['name']}", f"  {_format_pairs(best['metrics'])}"]
        lines += [f"  {_format_pairs(best['knobs'])}"]
        lines += [f"  {warning}" for warning in boundary_warnings(table)]
    if pruning := summary.get("pruning"):
        lines += [
            "",
            f"pruning: {pruning['pruned']} of {pruning['trials']} trials ended early,"
            f" {pruning['epochs']} of {pruning['asked']} epochs trained,"
            f" {pruning['share']:.0%} saved",
        ]
    pruned = " that were not pruned, which are better than most" if summary.get("pruning") else ""
    lines += ["", f"expected {goal} of n trials{pruned}:"]
    lines += [f"  {n:>3}  {value:.4g}" for n, value in summary["expected_best"].items()]
    for method, shares in summary["importance"].items():
        lines += ["", f"importance by {method.replace('_', '-')} (5 to 95 % of refits):"]
        ordered = sorted(shares.items(), key=lambda pair: -pair[1]["mean"])
        lines += [
            f"  {share['mean']:4.2f}  ({share['low']:.2f} to {share['high']:.2f})  {knob}"
            for knob, share in ordered
        ]
    if len(summary["spearman"]) > 1:
        lines += ["", "Spearman between metrics:"]
    for metric, by_other in summary["spearman"].items():
        others = {name: rho for name, rho in by_other.items() if name != metric}
        lines += [f"  {metric}: {_format_pairs(others)}"] if others else []
    return "\n".join(lines)


def _unscored_text(table: TrialTable) -> str:
    scored = len(table.scored)
    return f", {scored} of them with {table.objective}" if scored < len(table.rows) else ""


def _best_row(table: TrialTable) -> dict[str, Any] | None:
    best = table.best
    if best is None:
        return None
    return {
        "name": str(best.name),
        "knobs": {knob: to_json_value(best[knob]) for knob in table.knobs},
        "metrics": {metric: to_json_value(best[metric]) for metric in table.metrics},
    }


def _rank_correlations(table: TrialTable) -> dict[str, dict[str, Any]]:
    """Return Spearman's rho of each pair of metrics over the rows that have both.

    None below MIN_PAIRS rows, or if a metric does not vary.
    """
    correlations = table.rows[table.metrics].astype(float).corr("spearman", min_periods=MIN_PAIRS)
    return {
        metric: {other: to_json_value(correlations.loc[metric, other]) for other in table.metrics}
        for metric in table.metrics
    }


def _expected_best(table: TrialTable) -> dict[str, float]:
    values = table.scored[table.objective].astype(float)
    return {
        str(n): expected_best(values, n, table.minimize) for n in TRIAL_BUDGETS if n <= len(values)
    }


def _format_pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_format_value(value)}" for name, value in values.items())


def _format_value(value: Any) -> str:
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return "missing" if missing else format_knob(value)


class PruningSavings(NamedTuple):
    """Epochs that pruning saved in a search."""

    trials: int  # done or pruned
    pruned: int
    epochs: int  # trained
    asked: int  # epochs of all trials without pruning

    @property
    def share(self) -> float:
        """Share of the epochs that was saved."""
        return 1 - self.epochs / self.asked


def pruning_savings(frames: Frames, sweep: SweepManifest | None = None) -> PruningSavings | None:
    """Return the savings in a search, by default the newest; None if no trial was pruned."""
    ended = ended_trials(frames, sweep)
    pruned = int((ended["status"] == TrialState.PRUNED).sum())
    if not pruned:
        return None
    trained = frames.epochs["trial_id"].isin(ended["trial_id"]).sum()
    return PruningSavings(len(ended), pruned, int(trained), int(ended["epochs"].sum()))
