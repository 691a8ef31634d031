"""What a sweep's evidence supports, in a sentence: what is sure, what is not, what is open."""

import math

import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import LEAST, evidence
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.tables.effects import effects_table
from clip_hparam.analysis.tables.table import difference_text

ALPHA, NAMED = 0.05, 6  # a table of many cells is summed up by its largest differences


def verdict(frames: Frames, ablation: Ablation) -> str:
    """Differences that hold after Holm's correction; those that hold alone; then noise; then gaps.

    Raises NotSweptError.
    """
    data = evidence(frames, ablation)
    if ablation.drawn == "factorial" and not _waiting(data, ablation):
        return _factorial(frames, ablation)
    compared = data[data["delta"].notna()]
    sure = compared[compared["delta_p_holm"] < ALPHA]
    parts = [*_told(compared, sure, ablation), _waiting(data, ablation)]
    first = data[ablation.row].loc[0]  # by label: rows may be sorted by their knobs
    against = f"the {ablation.row} before" if ablation.against == "previous" else first
    return f"{ablation.title}, against {against}: {'; '.join(part for part in parts if part)}."


def _factorial(frames: Frames, ablation: Ablation) -> str:
    """Of main effects and interactions: cells alone would not say what a change does."""
    effects = effects_table(frames, ablation).data.rename(columns={"effect": ablation.row})
    sure = effects[effects["p_holm"] < ALPHA]
    parts = _told(effects.assign(seeds_needed=math.nan), sure, ablation)
    return (
        f"{ablation.title}, effects over all others: {'; '.join(part for part in parts if part)}."
    )


def _told(rows: pd.DataFrame, sure: pd.DataFrame, ablation: Ablation) -> list[str]:
    """What is bold in the table is sure, or named as what it is taken alone."""
    rest = rows.drop(sure.index)
    bold = rest[(rest["delta_low"] > 0) | (rest["delta_high"] < 0)]
    beyond = f"{_named(bold, ablation)} (interval excludes zero, but Holm-adjusted p above {ALPHA})"
    return [
        f"{_named(sure, ablation)} (Holm-adjusted p below {ALPHA})" if len(sure) else "",
        beyond if len(bold) else "",
        _undecided(rest.drop(bold.index), ablation),
    ]


def _named(rows: pd.DataFrame, ablation: Ablation) -> str:
    """The largest first."""
    largest = rows.reindex(rows["delta"].abs().sort_values(ascending=False).index)
    named = [
        f"{row[ablation.row]} {difference_text(row['delta'], row['delta_low'], row['delta_high'])}"
        for _, row in largest.head(NAMED).iterrows()
    ]
    more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    return f"{', '.join(named)}{more} points of test accuracy"


def _undecided(rows: pd.DataFrame, ablation: Ablation) -> str:
    if rows.empty:
        return ""
    needed = rows["seeds_needed"].max()
    seeds = "" if pd.isna(needed) else f" (to resolve {LEAST} points, up to {needed:.0f} seeds)"
    names = [str(name) for name in rows[ablation.row]]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"not told apart from noise: {', '.join(names[:NAMED])}{more}{seeds}"


def _waiting(data: pd.DataFrame, ablation: Ablation) -> str:
    waiting = int((data["n"] < data["asked"]).sum())
    lack = f"{waiting} of {len(data)} {ablation.row}s lack a run and say nothing"
    return lack if waiting else ""
