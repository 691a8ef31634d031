"""Summarise a table of points as a JSON object and as text."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from clip_hparam.analysis.evidence.searches.boundaries import Boundary, boundaries
from clip_hparam.analysis.evidence.searches.confounding import companions, confounded_groups
from clip_hparam.analysis.evidence.searches.importance import Importance, importance
from clip_hparam.analysis.evidence.searches.pruning import PruningSavings
from clip_hparam.analysis.evidence.searches.replicate_means import PointTable
from clip_hparam.analysis.frames.labels import format_knob
from clip_hparam.analysis.frames.trial_table import TrialTable, is_numeric, to_json_value
from clip_hparam.analysis.stats.expected_best import expected_best
from clip_hparam.config.text.count import counted

TRIAL_BUDGETS = (1, 2, 5, 10, 20, 40)
MIN_PAIRS = 3  # a rank correlation of two pairs is always 1 or -1


class Summary(NamedTuple):
    """A table of points with what the trials behind it show; `importances`: {} if unknown."""

    table: TrialTable
    importances: Importance
    confounded: list[tuple[str, ...]]
    boundaries: list[Boundary]
    savings: PruningSavings | None = None


def summarise(
    points: PointTable, importances: Importance | None = None
) -> tuple[Summary, list[str]]:
    """Return the summary of points, and a sentence for each part that is missing in it.

    importances: computed before, else they are computed here.
    """
    table = points.points
    gaps: list[str] = []
    if missing := len(table.rows) - len(table.scored):
        gaps.append(f"{counted(missing, 'row')} without {table.objective}: not counted in best")
    shares: Importance = importances or {}
    if importances is None:
        try:
            shares = importance(table)
        except ValueError as error:
            gaps.append(f"no importance: {error}")
    groups = confounded_groups(table)
    together = {knob for group in groups for knob in group}
    return Summary(table, shares, groups, boundaries(table, points.trials, together)), gaps


def summary_dict(summary: Summary) -> dict[str, Any]:
    """Return the summary as a JSON object."""
    table, savings = summary.table, summary.savings
    return {
        "n": len(table.rows),
        "averaged": table.averaged,
        "duplicates": table.duplicates,
        "incomplete": table.incomplete,
        "best": _best_row(table),
        "spearman": _rank_correlations(table),
        "expected_best": _expected_best(table),
        "importance": {
            method: {knob: share._asdict() for knob, share in shares.items()}
            for method, shares in summary.importances.items()
        },
        "confounded": [list(group) for group in summary.confounded],
        "edges": boundary_knobs(table),
        "widen": [found.knob for found in summary.boundaries if found.is_supported],
        "pruning": savings and {**savings._asdict(), "share": savings.share},
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


def format_summary(summary: Summary) -> str:
    """Format the summary as text."""
    table, facts = summary.table, summary_dict(summary)
    goal = f"{'lowest' if table.minimize else 'highest'} {table.objective}"
    rows = f"cells, means of {counted(table.averaged, 'trial')}" if table.averaged else "trials"
    left_out = table.incomplete + sum(table.left_out.values()) + table.unseeded
    counts = [f"{counted(table.duplicates, 'duplicate')} kept"] if table.duplicates else []
    counts += [f"{counted(left_out, 'row')} left out"] if left_out else []
    head = f"{len(table.rows)} {rows}{_unscored_text(table)}"
    lines = ["; ".join(filter(None, (head, ", ".join(counts))))]
    if best := facts["best"]:
        mean = " (mean over its seeds)" if table.averaged else ""
        lines += ["", f"{goal}: {best['name']}{mean}", f"  {_format_pairs(best['metrics'])}"]
        lines += [f"  {_format_pairs(best['knobs'])}", *_boundary_lines(summary)]
    if savings := summary.savings:
        lines += [
            "",
            f"pruning: {savings.pruned} of {counted(savings.trials, 'trial')} ended early,"
            f" {savings.epochs} of {savings.asked} epochs trained,"
            f" {savings.share:.0%} saved",
        ]
    pruned = " that were not pruned, which are better than most" if summary.savings else ""
    tried = "cells" if table.averaged else "trials"
    lines += ["", f"expected {goal} of n {tried}{pruned}:"]
    lines += [f"  {n:>3}  {value:.4g}" for n, value in facts["expected_best"].items()]
    lines += _importance_lines(summary)
    if len(facts["spearman"]) > 1:
        lines += ["", "Spearman between metrics:"]
    for metric, by_other in facts["spearman"].items():
        others = {name: rho for name, rho in by_other.items() if name != metric}
        lines += [f"  {metric}: {_format_pairs(others)}"] if others else []
    return "\n".join(lines)


def _boundary_lines(summary: Summary) -> Iterator[str]:
    """Yield the knobs to widen, then those whose best value is at an end without support."""
    yield from (f"  {found.sentence}" for found in summary.boundaries if found.is_supported)
    others = [found for found in summary.boundaries if not found.is_supported]
    if others:
        listed = ", ".join(f"{found.knob} ({found.end})" for found in others)
        yield f"  at an end of the tried range, but not distinguished from its neighbours: {listed}"


def _importance_lines(summary: Summary) -> Iterator[str]:
    for method, shares in summary.importances.items():
        yield from ("", f"importance by {method.replace('_', '-')} (5 to 95 % of refits):")
        for knob, share in sorted(shares.items(), key=lambda pair: -pair[1].mean):
            others = companions(summary.confounded, knob)
            mark = f"  * varied together with {', '.join(others)}" if others else ""
            yield f"  {share.mean:4.2f}  ({share.low:.2f} to {share.high:.2f})  {knob}{mark}"
    if summary.confounded:
        listed = "; ".join(", ".join(group) for group in summary.confounded)
        yield from ("", f"varied together, so their effects cannot be separated: {listed}")


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
