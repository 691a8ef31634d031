"""The verdict on each cell of a sweep: better, worse, undecided, or incomplete."""

import math
from typing import Any, NamedTuple

import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import MIN_DIFFERENCE_POINTS
from clip_hparam.analysis.frames.labels import format_difference
from clip_hparam.analysis.stats.power import power
from clip_hparam.analysis.tables.conclusions import SIGNIFICANCE_LEVEL

VERDICTS = ("supported", "weak", "undecided", "incomplete", "reference")

NO_DIFFERENCE = {True: "other cells are compared with it", False: "its reference has a missing run"}


class Verdict(NamedTuple):
    """The state of one difference.

    kind: "supported" after Holm's correction, "weak" without it only, "undecided", "incomplete" (a
        run is missing), or "reference" (the cell that others are compared with).
    more_seeds: seeds beside those that are done, to resolve 0.2 points; None if unknown.
    """

    label: str
    kind: str
    text: str
    more_seeds: int | None = None


def verdicts(data: pd.DataFrame, ablation: Ablation) -> list[Verdict]:
    """Return a verdict for each row of `cell_evidence`, in its order."""
    return [_verdict(row, ablation) for _, row in data.iterrows()]


def _verdict(row: pd.Series, ablation: Ablation) -> Verdict:
    label = str(row[ablation.row])
    if row["n"] < row["asked"]:
        return Verdict(label, "incomplete", f"{row['n']} of {row['asked']} runs have a result")
    if math.isnan(row["delta"]):
        first = row["delta_why"] == "first row"
        return Verdict(label, "reference" if first else "incomplete", NO_DIFFERENCE[first])
    text = format_difference(row["delta"], row["delta_low"], row["delta_high"], ablation.digits)
    if row["delta_p_holm"] < SIGNIFICANCE_LEVEL:
        return Verdict(label, "supported", text)
    if row["delta_low"] > 0 or row["delta_high"] < 0:
        return Verdict(label, "weak", text, _more_seeds(row))
    return Verdict(label, "undecided", text, _more_seeds(row))


def _more_seeds(row: pd.Series) -> int | None:
    needed = row["seeds_needed"]
    return None if pd.isna(needed) else max(int(needed) - int(row["n"]), 0)


def achieved_power(row: pd.Series, difference: float = MIN_DIFFERENCE_POINTS) -> float | None:
    """Return the probability that the finished seeds detect a true `difference`, in points.

    None without an interval over at least two seeds.
    """
    n = int(row["n"])
    half = (row["delta_high"] - row["delta_low"]) / 2
    if n < 2 or not half > 0 or math.isnan(row["seeds_needed"]):
        return None
    from scipy.special import stdtrit  # lazy: only for undecided cells

    spread = half / float(stdtrit(n - 1, 0.975)) * math.sqrt(n)
    return power(spread, difference, n)


def counts(found: list[Verdict]) -> dict[str, Any]:
    """Return the number of cells of each kind, and the most seeds that an undecided cell needs."""
    more = [v.more_seeds for v in found if v.kind in ("undecided", "weak") and v.more_seeds]
    kinds = {kind: sum(v.kind == kind for v in found) for kind in VERDICTS}
    return {**kinds, "more_seeds": max(more, default=None)}
