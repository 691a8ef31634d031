"""What a search paid: the best of n trials, accuracy against cost, and what mattered."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from clip_hparam.analysis.evidence.importance import METHODS, Importance
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.frames.labels import metric_title
from clip_hparam.analysis.frames.trial_table import TrialTable
from clip_hparam.analysis.stats.expected_best import expected_best

METHOD_TITLES = {"fanova": "fANOVA: all trials", "ped_anova": "PED-ANOVA: the best trials"}
COST_COLUMN = "cost.seconds"


class BestOfN(NamedTuple):
    """The expected best objective of n trials, for some n from 1 to all."""

    objective: str
    n: list[int]
    best: list[float]


class CostFront(NamedTuple):
    """A point a trial; `front` are the ones that no cheaper trial equals, by rising cost."""

    objective: str
    cost: list[float]  # seconds
    value: list[float]
    front: list[int]


def best_of_n(study: TrialTable) -> BestOfN:
    """Raises ValueError if no row has the objective."""
    values = study.scored[study.objective].astype(float).to_numpy()
    if not len(values):
        raise ValueError(f"no row has {study.objective}: nothing to draw")
    counts = np.unique(np.geomspace(1, len(values), min(len(values), 60)).round().astype(int))
    best = [expected_best(values, int(n), study.minimize) for n in counts]
    return BestOfN(study.objective, counts.tolist(), best)


def cost_front(study: TrialTable) -> CostFront:
    """Raises ValueError if the trials have no cost."""
    if COST_COLUMN not in study.rows:
        raise ValueError(f"the trials have no {COST_COLUMN}: nothing to draw")
    known = study.scored[COST_COLUMN].notna().to_numpy()
    rows = study.scored[known]
    points = pd.DataFrame(
        {"cost": rows[COST_COLUMN].to_numpy(), "gain": study.gains.to_numpy()[known]}
    )
    ordered = points.sort_values(["cost", "gain"], ascending=[True, False])
    before = ordered["gain"].cummax().shift(fill_value=-np.inf)
    front = ordered.index[ordered["gain"] > before]
    value = rows[study.objective].astype(float).to_list()
    return CostFront(study.objective, points["cost"].to_list(), value, [int(at) for at in front])


def plot_best_of_n(data: BestOfN) -> Figure:
    drawn = style.create_figure(style.COLUMN_INCHES, 2.3)
    with style.house_style():
        panel = drawn.subplots()
        panel.plot(data.n, data.best, "-", color=style.EMA_COLOUR)
        panel.set(
            xscale="log",
            xlabel="trials",
            ylabel=f"expected best\n{style.safe_text(metric_title(data.objective))}",
        )
        ticks = [n for n in (1, 2, 5, 10, 20, 50, 100, 1_000, 10_000) if n <= data.n[-1]]
        panel.set_xticks(ticks, [f"{n:,}" for n in ticks])
        panel.minorticks_off()
    return drawn


def plot_cost_front(data: CostFront) -> Figure:
    """The front as steps: the best that a budget a run could have bought."""
    drawn = style.create_figure(style.COLUMN_INCHES, 2.4)
    with style.house_style():
        panel = drawn.subplots()
        panel.plot(
            data.cost,
            data.value,
            "o",
            color=style.RAW_COLOUR,
            markersize=3,
            alpha=0.5,
            rasterized=style.should_rasterize(len(data.cost)),
            label="a run",
        )
        x, y = ([column[at] for at in data.front] for column in (data.cost, data.value))
        panel.step(
            x, y, "o-", where="post", color=style.EMA_COLOUR, markersize=3.5, label="Pareto front"
        )
        panel.set(xlabel="seconds a run", ylabel=style.safe_text(metric_title(data.objective)))
        if max(data.cost) > 10 * min(data.cost) > 0:
            panel.set_xscale("log")
            panel.xaxis.set_major_formatter("{x:g}")
        drawn.legend(loc="outside lower center", ncols=2, frameon=False)
    return drawn


def plot_importance(data: Importance) -> Figure:
    """Both methods side by side; the line is 5 to 95 % of the refits."""
    knobs = sorted(data[METHODS[0]], key=lambda knob: data[METHODS[0]][knob].mean)
    drawn = style.create_figure(style.PAGE_INCHES, 0.8 + 0.24 * len(knobs))
    with style.house_style():
        row = drawn.subplots(1, len(METHODS), sharey=True)
        for panel, method in zip(row, METHODS, strict=True):
            found = [data[method][knob] for knob in knobs]
            panel.barh(
                [style.safe_text(knob) for knob in knobs],
                [share.mean for share in found],
                color=style.OURS_COLOUR,
                height=0.6,
            )
            panel.hlines(
                range(len(knobs)), [share.low for share in found], [share.high for share in found],
                color=style.INK_COLOUR, linewidth=1.2,
            )  # fmt: skip
            panel.set(
                xlim=(0, 1), xlabel="importance, 5 to 95 % of refits", title=METHOD_TITLES[method]
            )
    return drawn
