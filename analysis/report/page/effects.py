"""Effects of a factorial sweep, and paths of an ablation from its baseline to all changes."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.replicates import Replicates
from clip_hparam.analysis.evidence.selection import selection_accuracy
from clip_hparam.analysis.evidence.sweep_effects import factorial_values, sweep_effects
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.report.page.json_values import number, numbers
from clip_hparam.analysis.stats.shapley import is_full_factorial, ordered_gains
from clip_hparam.analysis.tables.effects import effects_data

MAX_FACTORS = 10


def effects_json(frames: Frames, ablation: Ablation) -> list[dict[str, Any]] | None:
    """Return the main effects and interactions of a factorial sweep, None for other sweeps."""
    if ablation.figure_kind != "factorial":
        return None
    try:
        data = effects_data(sweep_effects(frames, ablation))
    except ValueError:  # no regular design: the table of its cells is shown alone
        return None
    return [
        {
            "label": str(row["effect"]),
            "delta": numbers([row["delta"], row["delta_low"], row["delta_high"]]),
            "p": number(row["p_holm"], 3),
        }
        for _, row in data.iterrows()
    ]


def path_json(frames: Frames, ablation: Ablation, cells: list[Replicates]) -> dict[str, Any] | None:
    """Return the paths of a full factorial sweep; None for other sweeps.

    greedy: at each step the change with the highest accuracy on the selection set.
    average: the mean gain of each change over all orders (Shapley value), with its interval.
    """
    if ablation.figure_kind != "factorial":
        return None
    factors, signs, values, complete, images = factorial_values(frames, ablation)
    if not complete or not is_full_factorial(factors, signs) or len(factors) > MAX_FACTORS:
        return None
    gains = ordered_gains(factors, signs, values)
    return {
        "start": number(cells[_row_of(signs, set())].values.mean()),
        "greedy": list(_greedy_steps(factors, signs, cells)),
        "average": [
            {
                "label": gain.change,
                "gain": numbers([gain.mean.mean, gain.mean.low, gain.mean.high]),
                "range": numbers([gain.low, gain.high]),
            }
            for gain in gains
        ],
        "images": images > 0,
    }


def _greedy_steps(
    factors: list[str], signs: np.ndarray, cells: list[Replicates]
) -> Iterator[dict[str, Any]]:
    """Yield each step with the test accuracy after it; the selection set chooses the steps."""
    scores = [selection_accuracy(cell.trials) for cell in cells]
    taken: set[int] = set()
    while len(taken) < len(factors):
        rows = {f: _row_of(signs, taken | {f}) for f in range(len(factors)) if f not in taken}
        best = max(rows, key=lambda factor: np.nan_to_num(scores[rows[factor]], nan=-np.inf))
        taken.add(best)
        cell = cells[rows[best]]
        yield {
            "label": factors[best],
            "mean": number(cell.values.mean()),
            "selection": number(scores[rows[best]]),
        }


def _row_of(signs: np.ndarray, on: set[int]) -> int:
    """Return the row of the cell in which these factors, and no others, are on."""
    wanted = np.array([1 if factor in on else -1 for factor in range(signs.shape[1])])
    return int(np.flatnonzero((signs == wanted).all(axis=1))[0])
