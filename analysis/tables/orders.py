"""What a ladder would say in another order: the gain of each change, averaged over all orders.

A ladder adds its changes in one of k! orders, and a change's step depends on what is there already.
Where a factorial sweep has all 2^k cells, every order's steps are known. The average over orders is
the Shapley value: a set S of m changes comes before the change in m! (k - m - 1)! orders of k!.
Source: Shapley 1953.
"""

from math import factorial

import numpy as np
import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.sweep_effects import factorial_values
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.stats.intervals import holm
from clip_hparam.analysis.stats.shapley import OrderedGain, is_full_factorial, ordered_gains
from clip_hparam.analysis.tables.table import Table, format_difference

ORDERS_NOTE = (
    "A ladder adds these changes in one of {orders} orders; here is what each one gains in all of"
    " them. First: with no other. Last: with all others. Mean over orders: the Shapley value, the"
    " gains of all changes sum to the whole. From, to: the least and the greatest gain at any place"
    " in the order. 95 % t interval over seeds. Bold: it excludes zero."
)


def orders_table(frames: Frames, ablation: Ablation) -> Table | None:
    """None where a combination has no cell or a run is missing. Raises NotSweptError."""
    factors, signs, values, complete = factorial_values(frames, ablation)
    if not is_full_factorial(factors, signs) or not complete:
        return None
    gains = ordered_gains(factors, signs, values)
    data = pd.DataFrame([_row(gain) for gain in gains])
    data["p_holm"] = holm(list(data["p"]))
    mean = "Δ over all orders, points"
    shown = pd.DataFrame({
        "change": data["change"],
        "first": [format_difference(*gain.first[:3]) for gain in gains],
        "last": [format_difference(*gain.last[:3]) for gain in gains],
        mean: [format_difference(*gain.mean[:3]) for gain in gains],
        "from": [format_difference(gain.low, np.nan, np.nan) for gain in gains],
        "to": [format_difference(gain.high, np.nan, np.nan) for gain in gains],
        "seeds": data["n"].astype(str),
    }, dtype="str")  # fmt: skip
    bold = pd.DataFrame(False, index=shown.index, columns=shown.columns)
    bold[mean] = [gain.mean.excludes_zero for gain in gains]
    rule = ORDERS_NOTE.format(orders=factorial(len(factors)))
    title = f"{ablation.title}: what each change gains in any order"
    return Table(f"{ablation.name}_orders", title, data, shown, bold, [rule])


def _row(gain: OrderedGain) -> dict[str, object]:
    return {
        "change": gain.change, "delta": gain.mean.mean,
        "delta_low": gain.mean.low, "delta_high": gain.mean.high, "p": gain.mean.p,
        "n": gain.mean.n, "why": gain.mean.why, "first": gain.first.mean, "last": gain.last.mean,
        "least": gain.low, "greatest": gain.high,
    }  # fmt: skip
