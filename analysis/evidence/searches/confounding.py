"""Knobs that always varied together in a table of trials, so that their effects are confounded.

Knobs with levels are compared by their levels: a knob that is constant within each level of another
one changes only where the other changes. Knobs whose values rarely repeat, as in a random search,
are compared by their rank correlation.
"""

from itertools import combinations

import pandas as pd

from clip_hparam.analysis.evidence.searches.axes import plot_positions
from clip_hparam.analysis.frames.importing.cells import format_level
from clip_hparam.analysis.frames.trial_table import TrialTable, is_numeric

MAX_RANK_CORRELATION = 0.9
MIN_RANKED = 5  # rows of a rank correlation


def confounded_groups(table: TrialTable) -> list[tuple[str, ...]]:
    """Return groups of knobs that moved together, each in the order of the table's knobs."""
    group_of = {knob: {knob} for knob in table.knobs}
    for first, second in combinations(table.knobs, 2):
        if group_of[first] is not group_of[second] and _move_together(table, first, second):
            merged = group_of[first] | group_of[second]
            group_of.update(dict.fromkeys(merged, merged))
    groups = {id(group): group for group in group_of.values() if len(group) > 1}.values()
    return [tuple(knob for knob in table.knobs if knob in group) for group in groups]


def companions(groups: list[tuple[str, ...]], knob: str) -> list[str]:
    """Return the knobs that varied together with a knob; [] if there are none."""
    return [other for group in groups if knob in group for other in group if other != knob]


def _move_together(table: TrialTable, first: str, second: str) -> bool:
    rows = table.rows
    a, b = (rows[knob].map(format_level) for knob in (first, second))
    if min(a.nunique(), b.nunique()) < 2:
        return False
    if max(a.nunique(), b.nunique()) <= len(rows) / 2:
        return bool((b.groupby(a).nunique() == 1).all() or (a.groupby(b).nunique() == 1).all())
    return _are_correlated(table, first, second)


def _are_correlated(table: TrialTable, first: str, second: str) -> bool:
    if not all(is_numeric(table.rows[knob]) for knob in (first, second)):
        return False
    positions = pd.DataFrame(
        {knob: plot_positions(knob, table.rows[knob]) for knob in (first, second)}
    ).dropna()
    if len(positions) < MIN_RANKED or (positions.nunique() < 2).any():
        return False
    rho = positions[first].corr(positions[second], method="spearman")
    return bool(abs(rho) >= MAX_RANK_CORRELATION)
