"""The four published training logs: the gain of EMA, and of selecting on the validation set."""

import math
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clip_hparam.analysis.evidence.published import (
    PLANNED_EPOCHS,
    PublishedRun,
    read_logs,
    summarise_logs,
)
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.parts.fitting import fit_texts
from clip_hparam.analysis.figures.parts.ticks import balanced_columns
from clip_hparam.analysis.figures.registry import frame_figure
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.config.text.numbers import MINUS_SIGN

PANEL_INCHES = 1.3
MODEL_TITLES = {"B16": "ViT-B/16, 224 px", "B16_384": "ViT-B/16, 384 px",
          "L14": "ViT-L/14, 224 px", "L14_336": "ViT-L/14, 336 px"}  # fmt: skip


class LogPanel(NamedTuple):
    """Top-1 accuracy on the 50,000 validation images by epoch, in percent."""

    title: str
    planned: int  # epochs of the schedule; a log may end earlier
    raw: list[float]
    ema: list[float]
    run: PublishedRun


def published_log_panels() -> list[LogPanel]:
    """Return a panel for each published log."""
    rows = {str(model): frame for model, frame in read_logs().groupby("model")}
    return [
        LogPanel(
            MODEL_TITLES[run.model],
            PLANNED_EPOCHS[run.model],
            rows[run.model]["raw_acc1"].to_list(),
            rows[run.model]["ema_acc1"].to_list(),
            run,
        )
        for run in summarise_logs()
    ]


def plot_published_logs(panels: list[LogPanel]) -> Figure:
    """Plot raw and EMA accuracy over the epochs, a panel for each log."""
    figure = style.create_figure(style.PAGE_INCHES, 2.0)
    columns = balanced_columns(len(panels), max(2, round(style.paper_width(figure) / 1.7)))
    rows = math.ceil(len(panels) / columns)
    figure.set_figheight(figure.get_figheight() * rows)
    with style.house_style():
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes, panel in zip(grid.ravel(), panels, strict=False):
            _plot_panel(axes, panel)
        for axes in grid.ravel()[len(panels) :]:
            axes.set_axis_off()
        figure.supylabel("validation accuracy, %", fontsize="medium")
        style.add_legend(figure, *grid[0][0].get_legend_handles_labels())
    return fit_texts(figure, PANEL_INCHES)


def _plot_panel(axes: Axes, panel: LogPanel) -> None:
    run = panel.run
    epochs = range(1, run.epochs + 1)  # as people count them; the logs count from 0
    best = [run.raw_best_epoch + 1, run.ema_best_epoch + 1]
    axes.plot(epochs, panel.raw, "--", color=style.RAW_COLOUR, label="raw")
    axes.plot(epochs, panel.ema, "-", color=style.EMA_COLOUR, label="EMA")
    style.mark_best(axes, best, [run.raw_best, run.ema_best])
    style.mark_last(axes, [run.epochs, run.epochs], [run.raw_last, run.ema_last])
    gap = run.ema_best - run.ema_last
    axes.set(
        title=panel.title, xlabel="epoch", xlim=(0, 1.06 * panel.planned),
        ylim=(run.ema_best - 6, run.ema_best + 0.8),
    )  # fmt: skip
    axes.text(
        0.97, 0.04, f"EMA best {run.ema_best:.2f}\nlast {run.ema_last:.2f} ({MINUS_SIGN}{gap:.2f})",
        transform=axes.transAxes, ha="right", fontsize="small",
    )  # fmt: skip


@frame_figure(
    "logs",
    "ImageNet-1k top-1 accuracy, %: published systems and logs",
    lambda frames: bool(frames.family),
)
def published_logs_figure(_frames: Frames) -> Figure:
    """Plot the published logs, which need no records."""
    return plot_published_logs(published_log_panels())
