"""Selection accuracy over the epochs of a trial, of the raw and of the EMA weights."""

import math
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from clip_hparam.analysis.evidence.ablations import ABLATIONS, Ablation
from clip_hparam.analysis.evidence.replicates import replicates
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.registry import frame_figure
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.manifests import newest_by_name

LEGEND_ORDER = ("raw", "EMA", "last", "selected epoch")


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
        axes.set(xlabel="epoch", ylabel="selection accuracy, %")
        axes.set_title(style.safe_text(data.title, 60))
        axes.legend(frameon=False)
    return figure


def plot_cell_curves(data: CellCurves) -> Figure:
    """Plot one small panel per cell on a common accuracy axis, which omits low first epochs."""
    columns = min(4, len(data.panels))
    rows = math.ceil(len(data.panels) / columns)
    figure = style.create_figure(style.PAGE_INCHES, 0.5 + 1.5 * rows)
    with style.house_style():
        grid = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
        for axes, (title, curves) in zip(grid, data.panels, strict=False):
            _plot_curves(axes, curves)
            axes.set_title(style.safe_text(title.replace("_", " "), 24))
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
        for axes in grid[len(data.panels) :]:
            axes.set_axis_off()
        grid[0].set_ylim(*_accuracy_range(data))
        figure.supylabel("selection accuracy, %", fontsize=8)
        figure.supxlabel("epoch", fontsize=8)
        handles = {
            label: handle
            for axes in grid
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        names = [name for name in LEGEND_ORDER if name in handles]
        figure.legend(
            [handles[name] for name in names], names,
            loc="outside upper center", ncols=max(len(names), 1), frameon=False,
        )  # fmt: skip
    return figure


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
    thin: dict[str, Any] = {"linewidth": 1.2 if len(curves) == 1 else 0.6}
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


def _accuracy_range(data: CellCurves) -> tuple[float, float]:
    """Return limits from below the lowest last epoch to above the best epoch of all curves."""
    curves = [curve for _, panel in data.panels for curve in panel]
    if not curves:
        return 0.0, 100.0
    lowest = min(curve.raw[-1] for curve in curves)
    highest = max(max(curve.raw + curve.ema) for curve in curves)
    span = max(highest - lowest, 1.0)
    return max(lowest - 0.8 * span, -0.5), min(highest + 0.15 * span, 100.5)


@frame_figure("curves", "Training curves", lambda frames: "ladder" in newest_by_name(frames.sweeps))
def ladder_curves_figure(frames: Frames) -> Figure:
    return plot_cell_curves(cell_curves(frames, ABLATIONS["ladder"]))
