"""Partial dependence of the objective on each knob, with an interval over bootstrap refits.

A random forest predicts the objective; the dependence on a knob is the mean prediction with the
knob at a value and all other knobs as they were. Each refit uses another bootstrap sample of the
trials. Source: Friedman 2001.
"""

from typing import Any

import numpy as np
import pandas as pd

from clip_hparam.analysis.evidence.searches.axes import plot_positions
from clip_hparam.analysis.evidence.searches.importance import is_explainable
from clip_hparam.analysis.frames.importing.cells import format_level
from clip_hparam.analysis.frames.trial_table import TrialTable, is_numeric

N_REFITS, N_TREES, MAX_ROWS, N_BACKGROUND, N_GRID = 8, 24, 500, 60, 16


def partial_dependence(table: TrialTable, knobs: list[str]) -> list[dict[str, Any]]:
    """Return the dependence on each of the knobs; [] for a table that explains nothing.

    x: levels as texts, or positions; mean, low, high: over refits (5 and 95 % quantiles).
    """
    if not is_explainable(table) or not knobs:
        return []
    values = table.scored[table.objective].astype(float).to_numpy()
    codes = {knob: _codes(table.scored[knob]) for knob in table.knobs}
    inputs = np.column_stack([column for column, _ in codes.values()])
    grids = {knob: _grid(codes[knob]) for knob in knobs}
    curves: dict[str, list[np.ndarray]] = {knob: [] for knob in knobs}
    for refit in range(N_REFITS):
        draw = np.random.default_rng(refit)
        rows = draw.integers(len(values), size=min(len(values), MAX_ROWS))
        forest = _fit(inputs[rows], values[rows], refit)
        background = inputs[draw.choice(len(values), min(len(values), N_BACKGROUND), replace=False)]
        for knob in knobs:
            column = list(codes).index(knob)
            curves[knob].append(_curve(forest, background, column, grids[knob]))
    return [_summary(knob, codes[knob][1], grids[knob], np.array(curves[knob])) for knob in knobs]


def _codes(values: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Return a number for each value, and the levels of a column of texts ([]: numbers)."""
    positions = plot_positions(str(values.name), values)
    if is_numeric(values):
        return positions.to_numpy(dtype=float), []
    texts = values.map(format_level)
    levels = sorted(texts.unique())
    return texts.map(lambda text: levels.index(text)).to_numpy(dtype=float), levels


def _grid(codes: tuple[np.ndarray, list[str]]) -> np.ndarray:
    """Return the values at which the dependence is computed: levels, or an even grid."""
    positions = np.unique(codes[0])
    if codes[1] or len(positions) <= N_GRID:
        return positions
    return np.linspace(positions[0], positions[-1], N_GRID)


def _fit(inputs: np.ndarray, values: np.ndarray, seed: int) -> Any:
    from sklearn.ensemble import RandomForestRegressor  # lazy: scikit-learn, 0.8 s

    return RandomForestRegressor(N_TREES, min_samples_leaf=3, random_state=seed).fit(inputs, values)


def _curve(forest: Any, background: np.ndarray, column: int, grid: np.ndarray) -> np.ndarray:
    rows = np.repeat(background[None], len(grid), axis=0)
    rows[:, :, column] = grid[:, None]
    predicted = forest.predict(rows.reshape(-1, background.shape[1]))
    mean: np.ndarray = predicted.reshape(len(grid), -1).mean(axis=1)
    return mean


def _summary(knob: str, levels: list[str], grid: np.ndarray, curves: np.ndarray) -> dict[str, Any]:
    low, high = np.quantile(curves, [0.05, 0.95], axis=0)
    named = {"levels": [levels[int(code)] for code in grid]} if levels else {}
    rounded = {
        name: [float(f"{value:.6g}") for value in values]
        for name, values in (
            ("x", grid),
            ("mean", curves.mean(axis=0)),
            ("low", low),
            ("high", high),
        )
    }
    return {"knob": knob, **named, **rounded}
