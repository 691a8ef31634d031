"""Accuracy over the levels of one knob, with the interval over seeds and the test-set error.

The interval over seeds shrinks with more seeds. The test-set error shrinks only with more test
images and is common to all levels.
"""

import math
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import cell_evidence, trials_of
from clip_hparam.analysis.evidence.images.correct_bits import count_images
from clip_hparam.analysis.evidence.replicates import replicates
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.parts.fitting import (
    LABEL_LIMIT,
    fit_texts,
    label_rows,
    rows_height,
)
from clip_hparam.analysis.figures.parts.knob_scale import Scale, axis_scale
from clip_hparam.analysis.figures.parts.seed_dots import (
    clip_interval,
    legal_range,
    plot_interval,
    plot_seeds,
    plot_seeds_beside,
)
from clip_hparam.analysis.figures.parts.sweep_design import MAX_ROWS
from clip_hparam.analysis.figures.registry import kind_figure, sweep_figure
from clip_hparam.analysis.figures.style import IMAGES_LABEL, format_seed_counts
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.imported import IMPORTED_PREFIX
from clip_hparam.analysis.frames.labels import format_done, format_knob
from clip_hparam.analysis.stats.binomial import wilson_interval


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
    seeds: tuple[float, ...] = ()  # the value of each run that is done


class KnobCurve(NamedTuple):
    title: str
    knob: str  # "" where levels are named, not numbers
    metric: str
    scale: Scale
    levels: list[Level]
    images: int | None  # number of test images, None if unknown
    seeds: str  # per level: "3", or "2 to 5"
    left_out: int = 0  # levels without a row, of more than `MAX_ROWS`


def knob_curve(frames: Frames, ablation: Ablation) -> KnobCurve:
    """Return the mean and intervals of every level of the ablation's knob.

    Raises:
        NotSweptError: the sweep has no record yet.
    """
    data = cell_evidence(frames, ablation)
    images = count_images(trials_of(frames, data)) if ablation.counts_images else None
    knob = ablation.knobs[0] if len(ablation.knobs) == 1 else ""
    runs = [tuple(cell.values.dropna()) for cell in replicates(frames, ablation)]
    levels = [_level(row, knob, ablation, images, runs[at]) for at, row in _numbered_rows(data)]
    scale = axis_scale([level.value for level in levels], knob)
    shown = levels[:MAX_ROWS] if scale == "levels" else levels
    seeds = format_seed_counts(data)
    title, metric, left_out = ablation.title, ablation.metric_title, len(levels) - len(shown)
    return KnobCurve(title, knob, metric, scale, shown, images, seeds, left_out)


def plot_knob_curve(curve: KnobCurve) -> Figure:
    """Plot a curve over numeric levels, or one row per level where levels are names."""
    named = curve.scale == "levels"
    figure = style.create_figure(style.COLUMN_INCHES, 2.4)
    with style.house_style():
        axes = figure.subplots()
        (_plot_over_names if named else _plot_over_numbers)(axes, curve)
        style.set_title(figure, style.with_left_out(curve.title, curve.left_out))
        style.add_legend(figure, *axes.get_legend_handles_labels())
    return fit_texts(figure, rows_height(axes) if named else None)


def _numbered_rows(data: pd.DataFrame) -> list[tuple[int, pd.Series]]:
    """Return the rows with the position of their cell in the design."""
    return [(int(at), row) for at, (_, row) in zip(data.index, data.iterrows(), strict=True)]


def _level(
    row: pd.Series, knob: str, ablation: Ablation, images: int | None, seeds: tuple[float, ...]
) -> Level:
    raw = row[knob] if knob else row[ablation.row]
    number = isinstance(raw, (int, float)) and not isinstance(raw, bool)
    mean = float(row[ablation.metric])
    image_ends = (math.nan, math.nan)
    if images and not math.isnan(mean):
        image_ends = wilson_interval(mean, images)
    return Level(
        format_knob(raw) if not pd.isna(raw) else str(row[ablation.row]),
        float(raw) if number else math.nan,
        mean, *clip_interval(row["ci_low"], row["ci_high"], legal_range(ablation.metric_title)),
        *image_ends,
        f"{format_done(row['n'], row['asked'])} runs" if row["n"] < row["asked"] else "", seeds,
    )  # fmt: skip


def _plot_over_numbers(axes: Axes, curve: KnobCurve) -> None:
    known = [level for level in curve.levels if not math.isnan(level.mean)]
    x, means = [level.value for level in known], [level.mean for level in known]
    axes.set_xscale(curve.scale)
    axes.plot(x, means, "o-", color=style.EMA_COLOUR, label=_dot_label(curve))
    if any(not math.isnan(level.low) for level in known):
        below = [[level.mean - level.low for level in known]]
        above = [[level.high - level.mean for level in known]]
        axes.errorbar(
            x, means, yerr=below + above, fmt="none", ecolor=style.EMA_COLOUR,
            capsize=style.points(2.5), elinewidth=style.points(1.1),
            capthick=style.points(1.1), label=style.seeds_label(curve.seeds),
        )  # fmt: skip
        plot_seeds_beside(axes, [(level.value, level.seeds) for level in curve.levels])
    if curve.images:
        ends = [[level.image_low for level in known], [level.image_high for level in known]]
        for end, label in zip(ends, (IMAGES_LABEL.format(curve.images), None), strict=True):
            width = style.points(0.8)
            axes.plot(x, end, ":", color=style.INK_COLOUR, linewidth=width, label=label)
    texts = [_tick_text(level) for level in curve.levels]
    axes.set_xticks([level.value for level in curve.levels], texts)
    axes.minorticks_off()
    axes.set(
        xlabel=style.safe_text(curve.knob.removeprefix(IMPORTED_PREFIX)),
        ylabel=style.safe_text(curve.metric),
    )
    style.clip_to_percent(axes.get_ylim, axes.set_ylim, curve.metric)


def _plot_over_names(axes: Axes, curve: KnobCurve) -> None:
    if curve.images:
        ends = [(level.image_low, level.image_high) for level in curve.levels]
        lows, highs = zip(*ends, strict=True)
        axes.hlines(
            range(len(ends)), lows, highs, color=style.PAPER_COLOUR, linewidth=style.points(6),
            label=IMAGES_LABEL.format(curve.images),
        )  # fmt: skip
    for row, level in enumerate(curve.levels):
        label = style.seeds_label(curve.seeds)
        plot_interval(axes, row, (level.low, level.high), label)
        if len(level.seeds) > 1:
            plot_seeds(axes, row, level.seeds, style.ONE_SEED)
    means = [level.mean for level in curve.levels]
    axes.plot(means, range(len(means)), "o", color=style.EMA_COLOUR, label=_dot_label(curve))
    label_rows(axes, [_tick_text(level) for level in curve.levels])
    axes.set(
        xlabel=style.safe_text(curve.metric),
        ylabel=style.safe_text(curve.knob.removeprefix(IMPORTED_PREFIX)),
    )
    style.clip_to_percent(axes.get_xlim, axes.set_xlim, curve.metric)


def _dot_label(curve: KnobCurve) -> str:
    return style.ONE_SEED if curve.seeds == "1" else "mean"


def _tick_text(level: Level) -> str:
    text = style.safe_text(level.text, LABEL_LIMIT)
    return f"{text}\n({level.missing})" if level.missing else text


@kind_figure("levels", "The levels of a knob")
@sweep_figure("levels")
def knob_curve_figure(frames: Frames, ablation: Ablation) -> Figure:
    """Plot the accuracy over the levels of a knob."""
    return plot_knob_curve(knob_curve(frames, ablation))
