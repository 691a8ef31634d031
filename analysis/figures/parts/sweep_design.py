"""The knobs that the cells of a sweep vary, and the figure that suits the design."""

from dataclasses import replace
from typing import Any

import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.replicates import first_recorded, replicates, sweep_of
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.manifests import SweepManifest
from clip_hparam.analysis.frames.trial_table import is_numeric
from clip_hparam.config.recipe import knobs

MAX_ROWS = 40  # cells with a row each; a design of several knobs with more cells gets slices


def varied_knobs(sweep: SweepManifest) -> list[str]:
    """Return the knobs whose override differs among the cells of a sweep, seed excepted."""
    overrides = [dict(_split(word) for word in cell.overrides) for cell in sweep.cells]
    names = dict.fromkeys(name for cell in overrides for name in cell)
    known = [name for name in names if name in knobs() and name != "seed"]
    return [name for name in known if len({cell.get(name) for cell in overrides}) > 1]


def with_design(frames: Frames, ablation: Ablation) -> Ablation:
    """Return the ablation with the knobs and the kind of figure that its design asks for.

    One numeric knob gets a curve, a full grid of two knobs a heat map, one change at a time the
    differences to the first cell, many cells of several knobs a slice for each knob. Kinds that are
    listed or that follow from the kind of the sweep stay.

    Raises:
        NotSweptError: the sweep is not on record.
    """
    if ablation.figure_kind != "levels":
        return ablation
    sweep = sweep_of(frames, ablation)
    names = ablation.knobs or tuple(varied_knobs(sweep))
    if len(names) == 1:
        known = ablation.knobs or _is_numeric(frames, ablation, names[0])
        return replace(ablation, knobs=names, order="value") if known else ablation
    if len(names) == 2 and _is_grid(frames, ablation, names):
        return replace(ablation, knobs=names, order="value", figure_kind="map")
    if sweep.kind == "one_at_a_time" and len(names) > 1:
        return replace(ablation, figure_kind="effects")
    several = len(names) > 1 and len(sweep.cells) > MAX_ROWS and _has_finished(frames, ablation)
    return replace(ablation, knobs=(), figure_kind="sample" if several else "levels")


def _has_finished(frames: Frames, ablation: Ablation) -> bool:
    """Return whether two cells have a trial that is done, so that a knob varies among trials."""
    cells = replicates(frames, ablation)
    return sum(bool(cell.values.notna().any()) for cell in cells) > 1


def _split(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name.lstrip("+"), value


def _levels(frames: Frames, ablation: Ablation, names: tuple[str, ...]) -> pd.DataFrame:
    """Return the levels of the knobs, a row per cell with a record."""
    firsts = [first_recorded(cell.trials) for cell in replicates(frames, ablation)]
    rows: list[dict[str, Any]] = [{name: first.get(name) for name in names} for first in firsts]
    return pd.DataFrame([row for first, row in zip(firsts, rows, strict=True) if first])


def _is_numeric(frames: Frames, ablation: Ablation, name: str) -> bool:
    levels = _levels(frames, ablation, (name,))
    return not levels.empty and is_numeric(levels[name]) and levels[name].nunique() == len(levels)


def _is_grid(frames: Frames, ablation: Ablation, names: tuple[str, ...]) -> bool:
    """Return whether each pair of levels is a cell, with two levels of each knob or more."""
    levels = _levels(frames, ablation, names)
    counts = [levels[name].nunique() for name in names] if not levels.empty else [0]
    cells = len(replicates(frames, ablation))
    return min(counts) > 1 and counts[0] * counts[1] == cells == len(levels.drop_duplicates())
