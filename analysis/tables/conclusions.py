"""What a sweep's evidence supports, in a sentence: what is sure, what is not, what is open."""

import math

import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import MIN_DIFFERENCE_POINTS, cell_evidence
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.tables.effects import effects_table
from clip_hparam.analysis.tables.table import format_difference

SIGNIFICANCE_LEVEL, MAX_NAMED = (
    0.05,
    6,
)  # a table of many cells is summed up by its largest differences


def conclusion(frames: Frames, ablation: Ablation) -> str:
    """Differences that hold after Holm's correction; those that hold alone; then noise; then gaps.

    Raises NotSweptError.
    """
    data = cell_evidence(frames, ablation)
    if ablation.figure_kind == "factorial" and not _incomplete_text(data, ablation):
        return _factorial_conclusion(frames, ablation)
    compared = data[data["delta"].notna()]
    sure = compared[compared["delta_p_holm"] < SIGNIFICANCE_LEVEL]
    parts = [*_conclusion_parts(compared, sure, ablation), _incomplete_text(data, ablation)]
    first = data[ablation.row].loc[0]  # by label: rows may be sorted by their knobs
    against = f"the {ablation.row} before" if ablation.against == "previous" else first
    return f"{ablation.title}, against {against}: {'; '.join(part for part in parts if part)}."


def _factorial_conclusion(frames: Frames, ablation: Ablation) -> str:
    """Of main effects and interactions: cells alone would not say what a change does."""
    effects = effects_table(frames, ablation).data.rename(columns={"effect": ablation.row})
    sure = effects[effects["p_holm"] < SIGNIFICANCE_LEVEL]
    parts = _conclusion_parts(effects.assign(seeds_needed=math.nan), sure, ablation)
    return (
        f"{ablation.title}, effects over all others: {'; '.join(part for part in parts if part)}."
    )


def _conclusion_parts(rows: pd.DataFrame, sure: pd.DataFrame, ablation: Ablation) -> list[str]:
    """What is bold in the table is sure, or named as what it is taken alone."""
    rest = rows.drop(sure.index)
    bold = rest[(rest["delta_low"] > 0) | (rest["delta_high"] < 0)]
    beyond = (
        f"{_format_differences(bold, ablation)} (interval excludes zero, but Holm-adjusted p above"
        f" {SIGNIFICANCE_LEVEL})"
    )
    return [
        f"{_format_differences(sure, ablation)} (Holm-adjusted p below {SIGNIFICANCE_LEVEL})"
        if len(sure)
        else "",
        beyond if len(bold) else "",
        _undecided_text(rest.drop(bold.index), ablation),
    ]


def _format_differences(rows: pd.DataFrame, ablation: Ablation) -> str:
    """The largest first."""
    largest = rows.reindex(rows["delta"].abs().sort_values(ascending=False).index)
    ends = ("delta", "delta_low", "delta_high")
    named = [
        f"{row[ablation.row]} {format_difference(*(row[end] for end in ends))}"
        for _, row in largest.head(MAX_NAMED).iterrows()
    ]
    more = f" and {len(rows) - MAX_NAMED} more" if len(rows) > MAX_NAMED else ""
    return f"{', '.join(named)}{more} points of test accuracy"


def _undecided_text(rows: pd.DataFrame, ablation: Ablation) -> str:
    if rows.empty:
        return ""
    needed = rows["seeds_needed"].max()
    seeds = (
        ""
        if pd.isna(needed)
        else f" (to resolve {MIN_DIFFERENCE_POINTS} points, up to {needed:.0f} seeds)"
    )
    names = [str(name) for name in rows[ablation.row]]
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return f"not told apart from noise: {', '.join(names[:MAX_NAMED])}{more}{seeds}"


def _incomplete_text(data: pd.DataFrame, ablation: Ablation) -> str:
    waiting = int((data["n"] < data["asked"]).sum())
    lack = f"{waiting} of {len(data)} {ablation.row}s lack a run and say nothing"
    return lack if waiting else ""
