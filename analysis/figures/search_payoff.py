"""The yield of a search: expected best of n trials, accuracy against cost, knob importance."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.replicates import sweep_of
from clip_hparam.analysis.evidence.searches.importance import (
    METHODS,
    Importance,
    importance,
    is_explainable,
)
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.parts.fitting import fit_texts
from clip_hparam.analysis.figures.parts.seed_dots import plot_interval
from clip_hparam.analysis.figures.parts.trial_dots import plot_trials
from clip_hparam.analysis.figures.registry import frame_figure, kind_figure, search_figure
from clip_hparam.analysis.frames.frame import Frames, trial_table
from clip_hparam.analysis.frames.trial_table import TrialTable
from clip_hparam.analysis.stats.expected_best import expected_best

METHOD_TITLES = {"fanova": "fANOVA: all trials", "ped_anova": "PED-ANOVA: the best trials"}
COST_COLUMN = "cost.seconds"
MAX_KNOBS, ROW_INCHES = 20, 0.22  # limits of the figure of importance


class BestOfN(NamedTuple):
    """The expected best value of the objective among n trials.

    objective: title of the objective. n: about 60 numbers of trials, up to all trials.
    best: the expected best value for each n.
    """

    objective: str
    n: list[int]
    best: list[float]


class CostFront(NamedTuple):
    """Cost and objective of each trial; `front` holds the indices of the Pareto front.

    A trial is on the front if no cheaper or equally cheap trial is as good. Costs rise along it.
    """

    objective: str
    cost: list[float]
    value: list[float]
    front: list[int]
    unit: str = "seconds"


def best_of_n(table: TrialTable) -> BestOfN:
    """Return the expected best objective of n trials.

    Raises:
        ValueError: no row has the objective.
    """
    values = table.scored[table.objective].astype(float).to_numpy()
    if not len(values):
        raise ValueError(f"no row has {table.objective}: nothing to plot")
    counts = np.unique(np.geomspace(1, len(values), min(len(values), 60)).round().astype(int))
    best = [expected_best(values, int(n), table.minimize) for n in counts]
    return BestOfN(table.objective_title, counts.tolist(), best)


def cost_front(table: TrialTable) -> CostFront:
    """Return the cost and objective of each trial and their Pareto front.

    Raises:
        ValueError: the trials have no cost.
    """
    if COST_COLUMN not in table.rows:
        raise ValueError(f"the trials have no {COST_COLUMN}: nothing to plot")
    known = table.scored[COST_COLUMN].notna().to_numpy()
    rows = table.scored[known]
    gains = table.gains.to_numpy()[known]
    points = pd.DataFrame({"cost": rows[COST_COLUMN].to_numpy(), "gain": gains})
    ordered = points.sort_values(["cost", "gain"], ascending=[True, False])
    best_before = ordered["gain"].cummax().shift(fill_value=-np.inf)
    front = [int(index) for index in ordered.index[ordered["gain"] > best_before]]
    value = rows[table.objective].astype(float).to_list()
    return CostFront(table.objective_title, points["cost"].to_list(), value, front)


def plot_best_of_n(data: BestOfN) -> Figure:
    """Plot the expected best objective over the number of trials, on a logarithmic axis."""
    figure = style.create_figure(style.COLUMN_INCHES, 2.3)
    with style.house_style():
        panel = figure.subplots()
        panel.plot(data.n, data.best, "-", color=style.EMA_COLOUR)
        objective = style.safe_text(data.objective)
        panel.set(xscale="log", xlabel="number of trials", ylabel=f"expected best\n{objective}")
        ticks = [n for n in (1, 2, 5, 10, 20, 50, 100, 1_000, 10_000) if n <= data.n[-1]]
        panel.set_xticks(ticks, [f"{n:,}" for n in ticks])
        panel.minorticks_off()
    return fit_texts(figure)


def plot_cost_front(data: CostFront) -> Figure:
    """Plot a point per trial and the Pareto front as steps."""
    figure = style.create_figure(style.COLUMN_INCHES, 2.4)
    with style.house_style():
        panel = figure.subplots()
        plot_trials(panel, data.cost, data.value)
        plot_front(panel, data.cost, data.value, data.front)
        panel.set(xlabel=f"{data.unit} per trial", ylabel=style.safe_text(data.objective))
        set_cost_scale(panel, data.cost)
        style.add_legend(figure, *panel.get_legend_handles_labels())
    return fit_texts(figure)


def plot_front(
    panel: Axes, cost: Sequence[float], value: Sequence[float], front: Sequence[int]
) -> None:
    """Plot the steps of a Pareto front through the points with these indices."""
    x, y = ([column[index] for index in front] for column in (cost, value))
    size = style.points(4)
    panel.step(
        x, y, "o-", where="post", color=style.EMA_COLOUR, markersize=size, label="Pareto front"
    )


def set_cost_scale(panel: Axes, cost: Sequence[float]) -> None:
    """Give costs that span more than a decade a logarithmic axis."""
    if max(cost) > 10 * min(cost) > 0:
        panel.set_xscale("log")
        steps = (1, 2, 5) if max(cost) < 200 * min(cost) else (1,)
        panel.xaxis.set_major_locator(LogLocator(subs=steps, numticks=15))
        panel.xaxis.set_major_formatter("{x:g}")
        panel.xaxis.set_minor_formatter(NullFormatter())


def plot_importance(data: Importance) -> Figure:
    """Plot the importance by both methods; lines are the 5th to 95th percentiles of refits."""
    first = data[METHODS[0]]
    knobs = sorted(first, key=lambda knob: first[knob].mean)[-MAX_KNOBS:]
    left_out = len(first) - len(knobs)
    figure = style.create_figure(style.PAGE_INCHES, 2.0)
    with style.house_style():
        row = figure.subplots(1, len(METHODS), sharey=True)
        for panel, method in zip(row, METHODS, strict=True):
            shares = [data[method][knob] for knob in knobs]
            panel.barh(
                range(len(knobs)), [share.mean for share in shares],
                color=style.OURS_COLOUR, edgecolor=style.INK_COLOUR,
                linewidth=style.points(0.6), height=0.6,
            )  # fmt: skip
            for at, share in enumerate(shares):
                plot_interval(panel, at, (share.low, share.high), "5 to 95 % of refits")
            panel.set(xlim=(0, 1), title=METHOD_TITLES[method], xlabel="importance")
        row[0].set_yticks(range(len(knobs)), [style.safe_text(knob) for knob in knobs])
        if left_out:
            style.set_title(figure, style.with_left_out("Importance", left_out, "knobs"))
        style.add_legend(figure, *row[0].get_legend_handles_labels())
    return fit_texts(figure, ROW_INCHES * max(len(knobs), 3))


@search_figure("best_of_n", "Expected best of n trials")
def best_of_n_figure(table: TrialTable) -> Figure:
    """Plot the expected best of n trials of a search."""
    return plot_best_of_n(best_of_n(table))


@search_figure("importance", "Importance of the knobs", is_explainable)
def importance_figure(table: TrialTable) -> Figure:
    """Plot the importance of the knobs of a search."""
    return plot_importance(importance(table))


def _has_costs_of_ours(frames: Frames) -> bool:
    return frames.imported is None and len(trial_table(frames).scored) > 1


@frame_figure("cost", "Accuracy against cost", _has_costs_of_ours)
def cost_front_figure(frames: Frames) -> Figure:
    """Plot the objective of all trials against GPU-hours, or seconds where hours are unknown."""
    table = trial_table(frames)
    hours = frames.trials.set_index("trial_id")["cost.gpu_hours"].reindex(table.rows.index)
    if not (hours > 0).all():
        return plot_cost_front(cost_front(table))
    rows = table.rows.assign(**{COST_COLUMN: hours})
    return plot_cost_front(cost_front(table._replace(rows=rows))._replace(unit="GPU-hours"))


@kind_figure("importance", "Importance of the knobs")
def sweep_importance_figure(frames: Frames, ablation: Ablation) -> Figure:
    """Plot the importance of the knobs of one sweep."""
    return plot_importance(importance(trial_table(frames, sweep_of(frames, ablation))))


@kind_figure("best_of_n", "Expected best of n trials")
def sweep_best_of_n_figure(frames: Frames, ablation: Ablation) -> Figure:
    """Plot the expected best of n trials of one sweep."""
    return plot_best_of_n(best_of_n(trial_table(frames, sweep_of(frames, ablation))))
