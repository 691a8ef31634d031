"""Selection accuracy over the epochs of a trial, of the raw and of the EMA weights."""

import math
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy import quantile

from clip_hparam.analysis.evidence.ablations import ABLATIONS, Ablation
from clip_hparam.analysis.evidence.replicates import replicates
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.parts.fitting import fit_texts
from clip_hparam.analysis.figures.parts.ticks import balanced_columns, count_ticks
from clip_hparam.analysis.figures.registry import frame_figure, kind_figure
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.manifests import newest_by_name

LEGEND_ORDER = ("raw", "EMA", "last", "selected epoch")
AXIS_TITLE = "selection accuracy, %"
BEST_LABEL, OTHERS_LABEL = "trial with the best epoch", "other trials"
MAX_PANELS, PANEL_INCHES = 20, 1.15
LOW_SHARE = 0.1  # share of the trials whose last epochs may be below the axis


class LearningCurve(NamedTuple):
    """Accuracy on the selection set by epoch, in percent; `ema` is empty without EMA.

    Epochs are counted from 0, as in records, and drawn from 1.
    """

    title: str
    epoch: list[int]
    raw: list[float]
    ema: list[float]
    selected: int | None  # selected epoch, None while the trial is not done

    @property
    def chosen(self) -> list[float]:
        """The accuracies that select the epoch: EMA where the trial has EMA, else raw."""
        return self.ema or self.raw


class CellCurves(NamedTuple):
    """One panel per cell, one curve per seed; a cell without recorded epochs has no curve."""

    title: str
    panels: list[tuple[str, list[LearningCurve]]]


def learning_curve(frames: Frames, trial_id: str) -> LearningCurve:
    """Return the curve of one trial.

    Raises:
        LookupError: the trial is unknown or has no recorded epochs.
    """
    epochs = frames.epochs[frames.epochs["trial_id"] == trial_id].sort_values("epoch")
    trial = frames.trials[frames.trials["trial_id"] == trial_id]
    if trial.empty or epochs.empty:
        raise LookupError(f"trial {trial_id} has no epochs on record")
    return _learning_curve(trial.iloc[0], epochs)


def cell_curves(frames: Frames, ablation: Ablation) -> CellCurves:
    """Return the curves of all seeds of all cells of a sweep, in the design's order.

    Raises:
        NotSweptError: the sweep has no record yet.
    """
    by_trial = dict(list(frames.epochs.groupby("trial_id")))
    panels = []
    for cell in replicates(frames, ablation):
        trials = cell.trials.assign(trial_id=list(cell.cell.trials.values()))
        curves = [
            _learning_curve(trial, by_trial[trial["trial_id"]].sort_values("epoch"))
            for _, trial in trials.iterrows()
            if trial["trial_id"] in by_trial
        ]
        panels.append((cell.cell.label, curves))
    return CellCurves(ablation.title, panels)


def plot_learning_curve(data: LearningCurve) -> Figure:
    """Plot raw and EMA accuracy, with the selected epoch marked on the curve that selects it."""
    figure = style.create_figure(style.COLUMN_INCHES, 2.4)
    with style.house_style():
        axes = figure.subplots()
        _plot_curves(axes, [data])
        axes.set(xlabel="epoch", ylabel=AXIS_TITLE, ylim=_accuracy_range([data]))
        axes.xaxis.set_major_locator(count_ticks(6))
        axes.set_title(style.safe_text(data.title, 60))
        _add_legend(figure)
    return fit_texts(figure)


def plot_cell_curves(data: CellCurves) -> Figure:
    """Plot one small panel per cell on a common accuracy axis, which omits low first epochs.

    More than `MAX_PANELS` cells share one panel, in which the best trial is dark.
    """
    if len(data.panels) > MAX_PANELS:
        return _plot_all_curves(data)
    figure = style.create_figure(style.PAGE_INCHES, 2.0)
    columns = balanced_columns(len(data.panels), max(2, round(style.paper_width(figure) / 1.7)))
    rows = math.ceil(len(data.panels) / columns)
    figure.set_figheight(figure.get_figheight() * rows)
    with style.house_style():
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
        for axes, (title, curves) in zip(grid, data.panels, strict=False):
            _plot_curves(axes, curves)
            axes.set_title(style.safe_text(title if "=" in title else title.replace("_", " "), 48))
            axes.xaxis.set_major_locator(count_ticks(5))
        for axes in grid[len(data.panels) :]:
            axes.set_axis_off()
        for axes in grid[len(data.panels) - columns : len(data.panels)]:
            axes.tick_params(labelbottom=True)
            axes.set_xlabel("epoch")
        grid[0].set_ylim(*_accuracy_range([curve for _, panel in data.panels for curve in panel]))
        figure.supylabel(AXIS_TITLE, fontsize="medium")
        _add_legend(figure)
    return fit_texts(figure, PANEL_INCHES)


def _plot_all_curves(data: CellCurves) -> Figure:
    """Plot the curves of all trials in one panel, the trial with the best accuracy on top."""
    curves = [curve for _, panel in data.panels for curve in panel]
    best = max(curves, key=lambda curve: max(curve.chosen, default=-math.inf), default=None)
    figure = style.create_figure(style.COLUMN_INCHES, 2.4)
    with style.house_style():
        axes = figure.subplots()
        for curve in curves:
            epochs = [epoch + 1 for epoch in curve.epoch][: len(curve.chosen)]
            width = style.points(1.6 if curve is best else 0.5)
            axes.plot(
                epochs, curve.chosen, linewidth=width, zorder=3 if curve is best else 2,
                color=style.EMA_COLOUR if curve is best else style.SEED_COLOUR,
                label=BEST_LABEL if curve is best else OTHERS_LABEL,
                alpha=1.0 if curve is best else 0.5, rasterized=style.should_rasterize(len(curves)),
            )  # fmt: skip
        axes.set(xlabel="epoch", ylabel=AXIS_TITLE, ylim=_accuracy_range(curves))
        axes.xaxis.set_major_locator(count_ticks(6))
        style.set_title(figure, data.title)
        style.add_legend(figure, *axes.get_legend_handles_labels())
    return fit_texts(figure)


def _add_legend(figure: Figure) -> None:
    pairs = [axes.get_legend_handles_labels() for axes in figure.axes]
    handles = {name: handle for pair in pairs for handle, name in zip(*pair, strict=True)}
    names = [name for name in LEGEND_ORDER if name in handles]
    if names:
        style.add_legend(figure, [handles[name] for name in names], names)


def _learning_curve(trial: pd.Series, epochs: pd.DataFrame) -> LearningCurve:
    selected = trial["epochs.selected"]
    ema = epochs.get("selection_acc1.ema", pd.Series(dtype=float)).dropna()
    return LearningCurve(
        f"trial {trial['trial_id']}",
        [int(epoch) for epoch in epochs["epoch"]],
        epochs["selection_acc1.raw"].to_list(),
        ema.to_list(),
        None if pd.isna(selected) else int(selected),
    )


def _plot_curves(axes: Axes, curves: list[LearningCurve]) -> None:
    """Plot the curves of one panel, with thinner lines where there are several seeds."""
    thin: dict[str, Any] = {"linewidth": style.points(1.2 if len(curves) == 1 else 0.6)}
    for number, data in enumerate(curves):
        raw, ema = ("raw", "EMA") if number == 0 else (None, None)  # one legend entry each
        epochs = [epoch + 1 for epoch in data.epoch]
        axes.plot(epochs, data.raw, "--", color=style.RAW_COLOUR, label=raw, **thin)
        if data.ema:
            axes.plot(epochs, data.ema, "-", color=style.EMA_COLOUR, label=ema, **thin)
    done = [data for data in curves if data.selected in data.epoch]
    if done:
        last = [data.epoch[-1] + 1 for data in done]
        style.mark_last(axes, last, [data.chosen[-1] for data in done])
        selected = [data.selected for data in done if data.selected is not None]
        accuracies = [
            data.chosen[data.epoch.index(epoch)] for data, epoch in zip(done, selected, strict=True)
        ]
        style.mark_best(axes, [epoch + 1 for epoch in selected], accuracies, LEGEND_ORDER[-1])


def _accuracy_range(curves: list[LearningCurve]) -> tuple[float, float]:
    """Return limits from below the low last epochs to above the best epoch of the curves."""
    known = [curve for curve in curves if curve.raw]
    values = [value for curve in known for value in curve.raw + curve.ema if not math.isnan(value)]
    if not values:
        return 0.0, 100.0
    longest = max(len(curve.raw) for curve in known)
    ended = [curve.raw[-1] for curve in known if len(curve.raw) > longest / 2]
    lasts = [value for value in ended if not math.isnan(value)] or values
    lowest, highest = quantile(lasts, LOW_SHARE), max(values)
    span = max(highest - lowest, 1.0)
    return max(lowest - 0.8 * span, -0.5), min(highest + 0.15 * span, 100.5)


@kind_figure("curves", "Training curves")
def sweep_curves(frames: Frames, ablation: Ablation) -> Figure:
    """Plot the curves of a sweep.

    Raises:
        NotSweptError: the sweep has no record yet.
        ValueError: no trial of the sweep has an epoch on record.
    """
    data = cell_curves(frames, ablation)
    if not any(curves for _, curves in data.panels):
        raise ValueError(f"no trial of {ablation.name} has an epoch on record: there is no curve")
    return plot_cell_curves(data)


@frame_figure("curves", "Training curves", lambda frames: "ladder" in newest_by_name(frames.sweeps))
def ladder_curves_figure(frames: Frames) -> Figure:
    """Plot the selection accuracy over the epochs, a panel for each rung of the ladder."""
    return plot_cell_curves(cell_curves(frames, ABLATIONS["ladder"]))
