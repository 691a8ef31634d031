"""Two knobs of a search: the mean objective in each bin of a grid, and which bins differ."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr

from clip_hparam.analysis.evidence.searches.axes import is_logarithmic, plot_positions
from clip_hparam.analysis.frames.importing.cells import format_level
from clip_hparam.analysis.frames.trial_table import TrialTable, is_numeric
from clip_hparam.analysis.report.page.json_values import number
from clip_hparam.analysis.stats.intervals import holm
from clip_hparam.analysis.tables.conclusions import SIGNIFICANCE_LEVEL

BINS, MIN_ROWS = 6, 12


def surface_json(table: TrialTable, knobs: list[str]) -> dict[str, Any] | None:
    """Return the mean objective of the trials in each bin of two knobs.

    `apart` is whether a bin differs from the best one (Welch's test of bins with at least two
    trials, Holm's correction); None where this cannot be tested. None with fewer than 12 trials or
    two knobs.
    """
    scored = table.scored
    if len(knobs) < 2 or len(scored) < MIN_ROWS:
        return None
    axes = [_bins(knob, scored[knob]) for knob in knobs]
    codes = (axes[0][0], axes[1][0])
    gains = table.gains.to_numpy()
    values = scored[table.objective].astype(float).to_numpy()
    groups: dict[tuple[int, int], list[int]] = {}
    for row, pair in enumerate(zip(*codes, strict=True)):
        groups.setdefault(pair, []).append(row)
    cells = {pair: gains[rows] for pair, rows in groups.items()}
    several = {pair: cell for pair, cell in cells.items() if len(cell) > 1}
    best = max(several, key=lambda pair: several[pair].mean(), default=None)
    p_values = [
        math.nan if best is None or pair == best else welch_p(cell, cells[best])
        for pair, cell in cells.items()
    ]
    pairs = [
        {
            "x": x, "y": y, "n": len(rows), "asked": len(rows),
            "mean": number(values[rows].mean()), "chosen": (x, y) == best,
            "apart": None if p != p else p < SIGNIFICANCE_LEVEL,
        }
        for ((x, y), rows), p in zip(groups.items(), holm(p_values), strict=True)
    ]  # fmt: skip
    return {"knobs": knobs, "levels": [labels for _, labels in axes], "pairs": pairs}


def welch_p(left: np.ndarray, right: np.ndarray) -> float:
    """Return the two-sided p of Welch's t test; NaN with one value, or without any spread."""
    if min(len(left), len(right)) < 2:
        return math.nan
    errors = [sample.var(ddof=1) / len(sample) for sample in (left, right)]
    total = sum(errors)
    if not total > 0:
        return math.nan
    freedom = total**2 / sum(
        e**2 / (len(s) - 1) for e, s in zip(errors, (left, right), strict=True)
    )
    t = abs(float(left.mean() - right.mean())) / math.sqrt(total)
    return 2 * float(stdtr(freedom, -t))


def _bins(knob: str, values: pd.Series) -> tuple[list[int], list[str]]:
    """Return the bin of each value and the labels of the bins; levels where there are few."""
    if not is_numeric(values) or values.nunique(dropna=False) <= BINS:
        positions = plot_positions(knob, values)
        texts = values.map(format_level)
        order = dict(zip(texts, positions, strict=True))
        labels = sorted(order, key=lambda text: order[text])
        return [labels.index(text) for text in texts], labels
    positions = plot_positions(knob, values).astype(float)
    edges = np.linspace(positions.min(), positions.max(), BINS + 1)
    codes = np.clip(np.searchsorted(edges, positions, side="right") - 1, 0, BINS - 1)
    logarithmic = is_logarithmic(knob, values)
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    labels = [f"{10**middle if logarithmic else middle:.2g}" for middle in middles]
    return codes.tolist(), labels
