"""The table of each change's gain over all orders in which a ladder could add the changes.

A ladder adds k changes in one of k! orders, and the gain of a change depends on the changes before
it. A factorial sweep with all 2^k cells yields the gains in every order. Their mean is the Shapley
value: a set of m changes precedes a given change in m! (k - m - 1)! of the k! orders.
Source: Shapley 1953.
"""

from math import factorial

import numpy as np
import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.sweep_effects import factorial_values
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.labels import format_difference
from clip_hparam.analysis.stats.intervals import holm
from clip_hparam.analysis.stats.shapley import OrderedGain, is_full_factorial, ordered_gains
from clip_hparam.analysis.tables.cell_table import Table
from clip_hparam.analysis.tables.effects import OVER_IMAGES
from clip_hparam.analysis.tables.registry import sweep_table

ORDERS_NOTE = (
    "A ladder adds these changes in one of {orders} orders; the table shows the gain of each change"
    " over all orders. First: the gain with no other change. Last: the gain with all other changes"
    " present. Mean over all orders: the Shapley value; these gains sum to the gain of all changes"
    " together. From, to: the least and the greatest gain over all orders. 95 % t interval over"
    " {what}. Bold: the interval excludes zero."
)


@sweep_table("orders", "factorial")
def orders_table(frames: Frames, ablation: Ablation) -> Table | None:
    """Return the table of gains, None where a combination has no cell or a run is missing.

    Raises:
        NotSweptError: the sweep has no record yet.
    """
    factors, signs, values, complete, images = factorial_values(frames, ablation)
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
        "test images" if images else "seeds": data["n"].astype(str),
    }, dtype="str")  # fmt: skip
    bold = pd.DataFrame(False, index=shown.index, columns=shown.columns)
    bold[mean] = [gain.mean.excludes_zero for gain in gains]
    note = ORDERS_NOTE.format(
        orders=factorial(len(factors)), what=OVER_IMAGES if images else "seeds"
    )
    title = f"{ablation.title}: gain of each change over all orders"
    return Table(f"{ablation.name}_orders", title, data, shown, bold, [note])


def _row(gain: OrderedGain) -> dict[str, object]:
    return {
        "change": gain.change, "delta": gain.mean.mean,
        "delta_low": gain.mean.low, "delta_high": gain.mean.high, "p": gain.mean.p,
        "n": gain.mean.n, "why": gain.mean.why, "first": gain.first.mean, "last": gain.last.mean,
        "least": gain.low, "greatest": gain.high,
    }  # fmt: skip
