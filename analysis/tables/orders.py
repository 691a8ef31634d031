"""What a ladder would say in another order: the gain of each change, averaged over all orders.

A ladder adds its changes in one of k! orders, and a change's step depends on what is there already.
Where a factorial sweep has all 2^k cells, every order's steps are known. The average over orders is
the Shapley value: a set S of m changes comes before the change in m! (k - m - 1)! orders of k!.
Source: Shapley 1953.
"""

from collections.abc import Sequence
from itertools import combinations
from math import factorial
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import replicates
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.stats.factorial import Signs, signs_of
from clip_hparam.analysis.stats.intervals import Estimate, estimate, holm
from clip_hparam.analysis.tables.table import Table, difference_text

RULE = (
    "A ladder adds these changes in one of {orders} orders; here is what each one gains in all of"
    " them. First: with no other. Last: with all others. Mean over orders: the Shapley value, the"
    " gains of all changes sum to the whole. From, to: the least and the greatest gain at any place"
    " in the order. 95 % t interval over seeds. Bold: it excludes zero."
)


class OrderedGain(NamedTuple):
    """In points. `first`, `last` and `mean` over seeds; `low` and `high` are means over seeds of
    the least and the greatest step in any order.
    """

    change: str
    first: Estimate
    last: Estimate
    mean: Estimate
    low: float
    high: float


def is_full(factors: Sequence[str], signs: Signs) -> bool:
    """Whether every combination has a cell."""
    return len(factors) > 1 and len(np.unique(signs, axis=0)) == 2 ** len(factors)


def ordered_gains(
    factors: Sequence[str], signs: Signs, values: NDArray[np.float64]
) -> list[OrderedGain]:
    """Of a full design; `values` has shape (cells, seeds), none missing."""
    row = {frozenset(map(int, np.flatnonzero(cell > 0))): at for at, cell in enumerate(signs)}
    return [_gain(factors[at], at, len(factors), row, values) for at in range(len(factors))]


def orders_table(frames: Frames, ablation: Ablation) -> Table | None:
    """None where a combination has no cell or a run is missing. Raises NotSweptError."""
    cells = replicates(frames, ablation)
    factors, signs = signs_of([cell.cell.label for cell in cells])
    if not is_full(factors, signs) or not all(cell.complete for cell in cells):
        return None
    seeds = pd.concat([cell.values for cell in cells], axis=1, join="inner")
    gains = ordered_gains(factors, signs, seeds.to_numpy(dtype=float).T)
    data = pd.DataFrame([_row(gain) for gain in gains])
    data["p_holm"] = holm(list(data["p"]))
    mean = "Δ over all orders, points"
    shown = pd.DataFrame({
        "change": data["change"],
        "first": [difference_text(*gain.first[:3]) for gain in gains],
        "last": [difference_text(*gain.last[:3]) for gain in gains],
        mean: [difference_text(*gain.mean[:3]) for gain in gains],
        "from": [difference_text(gain.low, np.nan, np.nan) for gain in gains],
        "to": [difference_text(gain.high, np.nan, np.nan) for gain in gains],
        "seeds": data["n"].astype(str),
    }, dtype="str")  # fmt: skip
    bold = pd.DataFrame(False, index=shown.index, columns=shown.columns)
    bold[mean] = [gain.mean.excludes_zero for gain in gains]
    rule = RULE.format(orders=factorial(len(factors)))
    title = f"{ablation.title}: what each change gains in any order"
    return Table(f"{ablation.name}_orders", title, data, shown, bold, [rule])


def _gain(
    name: str, at: int, count: int, row: dict[frozenset[int], int], values: NDArray[np.float64]
) -> OrderedGain:
    others = [other for other in range(count) if other != at]
    steps, shares = [], []
    for size in range(count):
        for chosen in combinations(others, size):
            before = frozenset(chosen)
            steps.append(values[row[before | {at}]] - values[row[before]])
            shares.append(factorial(size) * factorial(count - size - 1) / factorial(count))
    means = [step.mean() for step in steps]
    average = np.average(steps, axis=0, weights=shares)
    return OrderedGain(
        name, estimate(steps[0]), estimate(steps[-1]), estimate(average),
        float(min(means)), float(max(means)),
    )  # fmt: skip


def _row(gain: OrderedGain) -> dict[str, object]:
    return {
        "change": gain.change, "delta": gain.mean.mean,
        "delta_low": gain.mean.low, "delta_high": gain.mean.high, "p": gain.mean.p,
        "n": gain.mean.n, "why": gain.mean.why, "first": gain.first.mean, "last": gain.last.mean,
        "least": gain.low, "greatest": gain.high,
    }  # fmt: skip
