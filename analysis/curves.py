"""One trial over its epochs: frames -> what to draw -> ink."""

from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from analysis import style
from analysis.frame import Frames


class Curve(NamedTuple):
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


def curve(frames: Frames, trial_id: str) -> Curve:
    """Raises LookupError for a trial that is not in the frame or has no epochs on record."""
    epochs = frames.epochs[frames.epochs["trial_id"] == trial_id].sort_values("epoch")
    trial = frames.trials[frames.trials["trial_id"] == trial_id]
    if trial.empty or epochs.empty:
        raise LookupError(f"trial {trial_id} has no epochs on record")
    selected = trial["epochs.selected"].iloc[0]
    ema = epochs.get("selection_acc1.ema", pd.Series(dtype=float)).dropna()
    return Curve(
        f"trial {trial_id}",
        [int(epoch) for epoch in epochs["epoch"]],
        epochs["selection_acc1.raw"].to_list(),
        ema.to_list(),
        None if pd.isna(selected) else int(selected),
    )


def draw_curve(data: Curve) -> Figure:
    """Raw against EMA, the selected epoch marked on the curve that it was selected on."""
    drawn = style.figure(style.COLUMN, 2.4)
    with style.in_style():
        axes = drawn.subplots()
        axes.plot(data.epoch, data.raw, "o--", color=style.RAW, markersize=3, label="raw")
        if data.ema:
            axes.plot(data.epoch, data.ema, "s-", color=style.EMA, markersize=3, label="EMA")
        if data.selected in data.epoch:
            best = data.chosen[data.epoch.index(data.selected)]
            (star,) = axes.plot([data.selected], [best], "*", color=style.INK, markersize=12)
            star.set(markerfacecolor="none", label="selected epoch")
        axes.set(xlabel="epoch", ylabel="selection accuracy, %", title=data.title)
        axes.legend(frameon=False)
    return drawn
