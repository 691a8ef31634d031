"""Trials over their epochs, raw against EMA: frames -> what to draw -> ink."""

import math
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import replicates
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.frames.frame import Frames

LEGEND_ORDER = ("raw", "EMA", "last", "selected epoch")


class LearningCurve(NamedTuple):
    """Accuracy on the selection set by epoch, in percent; `ema` is empty without EMA."""

    title: str
    epoch: list[int]
    raw: list[float]
    ema: list[float]
    selected: int | None  # the epoch, None while the trial is not done

    @property
    def chosen(self) -> list[float]:
        """The curve that the epoch is selected on."""
        return self.ema or self.raw


class CellCurves(NamedTuple):
    """A panel a cell, a curve a seed; a cell without any epoch on record has no curve."""

    title: str
    panels: list[tuple[str, list[LearningCurve]]]


def learning_curve(frames: Frames, trial_id: str) -> LearningCurve:
    """Raises LookupError for a trial that is not in the frame or has no epochs on record."""
    epochs = frames.epochs[frames.epochs["trial_id"] == trial_id].sort_values("epoch")
    trial = frames.trials[frames.trials["trial_id"] == trial_id]
    if trial.empty or epochs.empty:
        raise LookupError(f"trial {trial_id} has no epochs on record")
    return _learning_curve(trial.iloc[0], epochs)


def cell_curves(frames: Frames, ablation: Ablation) -> CellCurves:
    """All seeds of all cells of a sweep, in the design's order. Raises NotSweptError."""
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
    """Raw against EMA, the selected epoch marked on the curve that it was selected on."""
    drawn = style.create_figure(style.COLUMN_INCHES, 2.4)
    with style.house_style():
        axes = drawn.subplots()
        _plot_curves(axes, [data])
        axes.set(xlabel="epoch", ylabel="selection accuracy, %", title=data.title)
        axes.legend(frameon=False)
    return drawn


def plot_cell_curves(data: CellCurves) -> Figure:
    """Small multiples on one accuracy axis that leaves out low first epochs."""
    columns = min(4, len(data.panels))
    rows = math.ceil(len(data.panels) / columns)
    drawn = style.create_figure(style.PAGE_INCHES, 0.5 + 1.5 * rows)
    with style.house_style():
        grid = drawn.subplots(rows, columns, squeeze=False, sharey=True).ravel()
        for axes, (title, curves) in zip(grid, data.panels, strict=False):
            _plot_curves(axes, curves)
            axes.set_title(style.safe_text(title.replace("_", " "), 24))
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        for axes in grid[len(data.panels) :]:
            axes.set_axis_off()
        grid[0].set_ylim(*_accuracy_range(data))
        drawn.supylabel("selection accuracy, %", fontsize=8)
        drawn.supxlabel("epoch", fontsize=8)
        named = {
            name: handle
            for axes in grid
            for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        names = [name for name in LEGEND_ORDER if name in named]
        drawn.legend(
            [named[name] for name in names], names,
            loc="outside upper center", ncols=max(len(names), 1), frameon=False,
        )  # fmt: skip
    return drawn


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
    """Thin where several seeds lie over each other."""
    thin: dict[str, Any] = {"linewidth": 1.2 if len(curves) == 1 else 0.6}
    for number, data in enumerate(curves):
        first = number == 0
        axes.plot(
            data.epoch,
            data.raw,
            "--",
            color=style.RAW_COLOUR,
            label="raw" if first else None,
            **thin,
        )
        if data.ema:
            axes.plot(
                data.epoch,
                data.ema,
                "-",
                color=style.EMA_COLOUR,
                label="EMA" if first else None,
                **thin,
            )
    done = [data for data in curves if data.selected in data.epoch]
    if done:
        last = [data.epoch[-1] for data in done]
        style.mark_last(axes, last, [data.chosen[-1] for data in done])
        selected = [data.epoch.index(data.selected) for data in done if data.selected is not None]
        chosen = [data.chosen[at] for data, at in zip(done, selected, strict=True)]
        at = [data.epoch[place] for data, place in zip(done, selected, strict=True)]
        style.mark_best(axes, at, chosen, LEGEND_ORDER[-1])


def _accuracy_range(data: CellCurves) -> tuple[float, float]:
    """From the worst end of any curve, with room, to the best epoch."""
    ends = [one.raw[-1] for _, curves in data.panels for one in curves]
    tops = [max(one.raw + one.ema) for _, curves in data.panels for one in curves]
    if not ends:
        return 0.0, 100.0
    span = max(max(tops) - min(ends), 1.0)
    return min(ends) - 0.8 * span, min(max(tops) + 0.15 * span, 100.5)
