"""The objective of the trials of a sweep in their order, with the best so far and pruned trials."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.replicates import sweep_of
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.parts.fitting import fit_texts
from clip_hparam.analysis.figures.parts.ticks import count_ticks
from clip_hparam.analysis.figures.parts.trial_dots import plot_trials
from clip_hparam.analysis.figures.registry import kind_figure
from clip_hparam.analysis.frames.frame import Frames, trial_table
from clip_hparam.records.state import TrialState


class History(NamedTuple):
    """Trials by their number in the sweep, from 1; `best` is the best value up to each trial."""

    title: str
    objective: str
    number: list[int]
    value: list[float]
    best: list[float]
    pruned_number: list[int]
    pruned_value: list[float]  # at the last epoch of a pruned trial


def history(frames: Frames, ablation: Ablation) -> History:
    """Return the objective of each trial of a sweep, in the order of the sweep.

    Raises:
        NotSweptError: the sweep has no record yet.
        ValueError: no trial has the objective.
    """
    sweep = sweep_of(frames, ablation)
    table = trial_table(frames, sweep)
    numbers = {trial_id: number for number, trial_id in enumerate(sweep.trial_ids, 1)}
    places = [numbers.get(str(name), at) for at, name in enumerate(table.scored.index, 1)]
    scored = pd.Series(table.scored[table.objective].astype(float).to_numpy(), index=places)
    scored = scored.sort_index(kind="stable")
    if scored.empty:
        raise ValueError(f"no trial of {ablation.name} has {table.objective_title} yet")
    best = scored.cummin() if table.minimize else scored.cummax()
    pruned = _last_values(frames, sweep.trial_ids)
    return History(
        ablation.title, table.objective_title,
        [int(number) for number in scored.index], scored.to_list(), best.to_list(),
        [numbers[name] for name in pruned], list(pruned.values()),
    )  # fmt: skip


def plot_history(data: History) -> Figure:
    """Plot a point per trial, the best so far as steps, and pruned trials as crosses."""
    figure = style.create_figure(style.COLUMN_INCHES, 2.4)
    with style.house_style():
        axes = figure.subplots()
        plot_trials(axes, data.number, data.value)
        axes.step(data.number, data.best, where="post", color=style.EMA_COLOUR, label="best so far")
        low, high = _value_range(data)
        if data.pruned_number:
            axes.plot(
                data.pruned_number, np.clip(data.pruned_value, low, high), "x",
                color=style.INK_COLOUR, markersize=style.points(3.5),
                markeredgewidth=style.points(0.8), label="pruned, at its last epoch",
            )  # fmt: skip
        axes.set(xlabel="trial, in the order of the sweep", ylabel=style.safe_text(data.objective))
        axes.xaxis.set_major_locator(count_ticks(6))
        style.set_title(figure, data.title)
        style.add_legend(figure, *axes.get_legend_handles_labels())
    return fit_texts(figure)


def _value_range(data: History) -> tuple[float, float]:
    """Return the range of the values of trials that ended, wider by a tenth on both sides."""
    low, high = min(data.value), max(data.value)
    margin = 0.1 * ((high - low) or 1.0)
    return low - margin, high + margin


def _last_values(frames: Frames, trial_ids: list[str]) -> dict[str, float]:
    """Return the selection accuracy at the last epoch of each pruned trial, by its id."""
    trials = frames.trials[frames.trials["trial_id"].isin(trial_ids)]
    pruned = trials[trials["status"] == TrialState.PRUNED]["trial_id"]
    epochs = frames.epochs[frames.epochs["trial_id"].isin(pruned)].sort_values("epoch")
    last = epochs.drop_duplicates("trial_id", keep="last").set_index("trial_id")
    values = last["selection_acc1.raw"]
    if "selection_acc1.ema" in last:
        values = last["selection_acc1.ema"].fillna(values)
    return {str(name): float(value) for name, value in values.dropna().items()}


@kind_figure("history", "The trials in their order")
def history_figure(frames: Frames, ablation: Ablation) -> Figure:
    """Plot the objective of the trials in the order in which they ran."""
    return plot_history(history(frames, ablation))
