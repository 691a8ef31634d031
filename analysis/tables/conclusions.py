"""The conclusion of a sweep in one sentence: certain differences, undecided ones, missing runs."""

import math

import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import MIN_DIFFERENCE_POINTS, cell_evidence
from clip_hparam.analysis.evidence.images.image_level import by_images, has_one_seed
from clip_hparam.analysis.evidence.sweep_effects import sweep_effects
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.labels import format_difference, format_names
from clip_hparam.analysis.tables.effects import effects_data

SIGNIFICANCE_LEVEL = 0.05
MAX_NAMED = 6  # the sentence names the cells with the largest differences


def conclusion(frames: Frames, ablation: Ablation) -> str:
    """Return the conclusion of a sweep.

    It lists the differences that are significant after Holm's correction, those that are
    significant only without it, the undecided cells, and the number of incomplete cells.

    Raises:
        NotSweptError: the sweep has no record yet.
    """
    data = cell_evidence(frames, ablation)
    source = " (one seed, over paired test images)" if has_one_seed(data) else ""
    data = by_images(data)
    if ablation.figure_kind == "factorial" and not _incomplete_text(data, ablation):
        return _factorial_conclusion(frames, ablation, source)
    compared = data[data["delta"].notna()]
    significant = compared[compared["delta_p_holm"] < SIGNIFICANCE_LEVEL]
    parts = [*_conclusion_parts(compared, significant, ablation), _incomplete_text(data, ablation)]
    # index 0 is the first cell of the design, also where rows are sorted by knobs
    first = data[ablation.row].loc[0]
    reference = f"the {ablation.row} before" if ablation.against == "previous" else first
    parts = [part for part in parts if part] or ["no two cells are paired by a seed"]
    return f"{ablation.title}, against {reference}{source}: {'; '.join(parts)}."


def _factorial_conclusion(frames: Frames, ablation: Ablation, source: str) -> str:
    """Return the conclusion from main effects and interactions instead of single cells."""
    effects = effects_data(sweep_effects(frames, ablation))
    effects = effects.rename(columns={"effect": ablation.row})
    significant = effects[effects["p_holm"] < SIGNIFICANCE_LEVEL]
    parts = _conclusion_parts(effects.assign(seeds_needed=math.nan), significant, ablation)
    sentence = "; ".join(part for part in parts if part)
    return f"{ablation.title}, effects over all others{source}: {sentence}."


def _conclusion_parts(
    rows: pd.DataFrame, significant: pd.DataFrame, ablation: Ablation
) -> list[str]:
    """Return texts of differences: significant, only before Holm's correction, undecided."""
    others = rows.drop(significant.index)
    only_unadjusted = others[(others["delta_low"] > 0) | (others["delta_high"] < 0)]
    below = f"Holm-adjusted p below {SIGNIFICANCE_LEVEL}"
    above = f"interval excludes zero, but Holm-adjusted p above {SIGNIFICANCE_LEVEL}"
    return [
        f"{_format_differences(significant, ablation)} ({below})" if len(significant) else "",
        f"{_format_differences(only_unadjusted, ablation)} ({above})"
        if len(only_unadjusted)
        else "",
        _undecided_text(others.drop(only_unadjusted.index), ablation),
    ]


def _format_differences(rows: pd.DataFrame, ablation: Ablation) -> str:
    """Return the differences as text, the largest first."""
    largest = rows.reindex(rows["delta"].abs().sort_values(ascending=False).index)
    named = [
        f"{row[ablation.row]} {_format(row, ablation.digits)}"
        for _, row in largest.head(MAX_NAMED).iterrows()
    ]
    more = f" and {len(rows) - MAX_NAMED} more" if len(rows) > MAX_NAMED else ""
    ours = f"points of {ablation.metric_title.removesuffix(', %')}"
    unit = f"in {ablation.metric}" if ablation.imported else ours
    return f"{', '.join(named)}{more} {unit}"


def _format(row: pd.Series, digits: int) -> str:
    return format_difference(row["delta"], row["delta_low"], row["delta_high"], digits)


def _undecided_text(rows: pd.DataFrame, ablation: Ablation) -> str:
    if rows.empty:
        return ""
    needed = rows["seeds_needed"].max()
    seeds = ""
    if not pd.isna(needed):
        seeds = f" (to resolve {MIN_DIFFERENCE_POINTS} points, up to {needed:,.0f} seeds)"
    names = [str(name) for name in rows[ablation.row]]
    return f"not distinguished from noise: {format_names(names, MAX_NAMED)}{seeds}"


def _incomplete_text(data: pd.DataFrame, ablation: Ablation) -> str:
    incomplete = int((data["n"] < data["asked"]).sum())
    text = f"{incomplete} of {len(data)} {ablation.row}s have missing runs and no result"
    return text if incomplete else ""
