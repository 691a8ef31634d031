"""Accuracy over the levels of one knob, with the interval over seeds and the test-set error.

The interval over seeds shrinks with more seeds. The test-set error shrinks only with more test
images and is common to all levels.
"""

import math
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import cell_evidence, trials_of
from clip_hparam.analysis.evidence.images.correct_bits import count_images
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.registry import sweep_figure
from clip_hparam.analysis.figures.style import IMAGES_LABEL, format_seed_counts
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.labels import format_done, format_knob
from clip_hparam.analysis.stats.binomial import wilson_interval

MAX_GAP_RATIO = 10  # with a larger ratio of gaps the levels are named, not placed on a scale
LOG_SCALE_RATIO = 10  # positive values that span this ratio get a logarithmic axis
Scale = Literal["linear", "log", "levels"]


class Level(NamedTuple):
    """A level's mean and intervals in the metric's unit; NaN where a run is missing."""

    text: str
    value: float  # NaN where the level is not a number
    mean: float
    low: float  # ends of the t interval over seeds; NaN with one seed
    high: float
    image_low: float  # ends of the test set's error; NaN if its size is unknown
    image_high: float
    missing: str  # "2 of 5 runs", or empty


class KnobCurve(NamedTuple):
    title: str
    knob: str  # "" where levels are named, not numbers
    metric: str
    scale: Scale
    levels: list[Level]
    images: int | None  # number of test images, None if unknown
    seeds: str  # per level: "3", or "2 to 5"


def knob_curve(frames: Frames, ablation: Ablation) -> KnobCurve:
    """Return the mean and intervals of every level of the ablation's knob.

    Raises:
        NotSweptError: the sweep has no record yet.
    """
    data = cell_evidence(frames, ablation)
    images = count_images(trials_of(frames, data)) if ablation.counts_images else None
    knob = ablation.knobs[0] if ablation.knobs else ""
    levels = [_level(row, knob, ablation, images) for _, row in data.iterrows()]
    scale = axis_scale([level.value for level in levels])
    return KnobCurve(
        ablation.title, knob, ablation.metric_title, scale, levels, images, format_seed_counts(data)
    )


def axis_scale(values: list[float]) -> Scale:
    """Return the axis scale for the values: "levels" where no scale spaces them evenly enough."""
    ordered = np.unique(np.asarray(values, dtype=float))
    if np.isnan(ordered).any() or len(ordered) < 2:
        return "levels"
    log = ordered[0] > 0 and ordered[-1] / ordered[0] >= LOG_SCALE_RATIO
    gaps = np.diff(np.log(ordered) if log else ordered)
    if gaps.max() / gaps.min() > MAX_GAP_RATIO:
        return "levels"
    return "log" if log else "linear"


def plot_knob_curve(curve: KnobCurve) -> Figure:
    """Plot a curve over numeric levels, or one row per level where levels are names."""
    named = curve.scale == "levels"
    height = 0.9 + 0.24 * len(curve.levels) if named else 2.4
    figure = style.create_figure(style.COLUMN_INCHES, height)
    with style.house_style():
        axes = figure.subplots()
        (_plot_over_names if named else _plot_over_numbers)(axes, curve)
        style.set_title(figure, curve.title)
        handles, names = axes.get_legend_handles_labels()
        style.add_legend(figure, handles, names)
    return figure


def _level(row: pd.Series, knob: str, ablation: Ablation, images: int | None) -> Level:
    raw = row[knob] if knob else row[ablation.row]
    number = isinstance(raw, (int, float)) and not isinstance(raw, bool)
    mean = float(row[ablation.metric])
    image_ends = (math.nan, math.nan)
    if images and not math.isnan(mean):
        image_ends = wilson_interval(mean, images)
    return Level(
        format_knob(raw) if not pd.isna(raw) else str(row[ablation.row]),
        float(raw) if number else math.nan,
        mean, row["ci_low"], row["ci_high"], *image_ends,
        f"{format_done(row['n'], row['asked'])} runs" if row["n"] < row["asked"] else "",
    )  # fmt: skip


def _plot_over_numbers(axes: Axes, curve: KnobCurve) -> None:
    known = [level for level in curve.levels if not math.isnan(level.mean)]
    x = [level.value for level in known]
    low, high = [level.low for level in known], [level.high for level in known]
    if curve.images:
        ends = [[level.image_low for level in known], [level.image_high for level in known]]
        for end, label in zip(ends, (IMAGES_LABEL.format(curve.images), None), strict=True):
            axes.plot(x, end, ":", color=style.INK_COLOUR, linewidth=0.8, label=label)
    if not all(map(math.isnan, low)):
        band = style.seeds_label(curve.seeds)
        axes.fill_between(x, low, high, color=style.OURS_COLOUR, alpha=0.6, linewidth=0, label=band)
    means = [level.mean for level in known]
    axes.plot(x, means, "o-", color=style.EMA_COLOUR, markersize=4, label=_dot_label(curve))
    axes.set_xscale(curve.scale)
    texts = [_tick_text(level) for level in curve.levels]
    axes.set_xticks([level.value for level in curve.levels], texts)
    axes.minorticks_off()
    axes.set(xlabel=style.safe_text(curve.knob), ylabel=style.safe_text(curve.metric))
    style.clip_to_percent(axes.get_ylim, axes.set_ylim, curve.metric)


def _plot_over_names(axes: Axes, curve: KnobCurve) -> None:
    means = [level.mean for level in curve.levels]
    rows = range(len(means))
    if curve.images:
        ends = [(level.image_low, level.image_high) for level in curve.levels]
        label = IMAGES_LABEL.format(curve.images)
        lows, highs = zip(*ends, strict=True)
        axes.hlines(rows, lows, highs, color=style.PAPER_COLOUR, linewidth=7, label=label)
    ends = [(level.low, level.high) for level in curve.levels]
    lows, highs = zip(*ends, strict=True)
    if not all(map(math.isnan, lows)):
        label = style.seeds_label(curve.seeds)
        axes.hlines(rows, lows, highs, color=style.EMA_COLOUR, linewidth=1.6, label=label)
    axes.plot(means, rows, "o", color=style.INK_COLOUR, markersize=4, label=_dot_label(curve))
    axes.set_yticks(rows, [_tick_text(level) for level in curve.levels])
    axes.set(ylim=(len(means) - 0.4, -0.6))
    axes.set(xlabel=style.safe_text(curve.metric), ylabel=style.safe_text(curve.knob))
    style.clip_to_percent(axes.get_xlim, axes.set_xlim, curve.metric)


def _dot_label(curve: KnobCurve) -> str:
    return style.ONE_SEED if curve.seeds == "1" else "mean"


def _tick_text(level: Level) -> str:
    text = style.safe_text(level.text)
    return f"{text}\n({level.missing})" if level.missing else text


@sweep_figure("levels")
def knob_curve_figure(frames: Frames, ablation: Ablation) -> Figure:
    return plot_knob_curve(knob_curve(frames, ablation))
