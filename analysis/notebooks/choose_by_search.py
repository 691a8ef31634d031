# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 5. Choose by a search, then prove it
#
# **Question.** A search found a point that looks better than the recipe we had. Is it?
#
# A real search trains its points:
#
# ```sh
# python sweep.py -m sweeps=search hydra.sweeper.n_trials=30
# clip-hparam summary
# clip-hparam export-recipe search --out conf/recipe/found.yaml
# python sweep.py -m recipe=weak_aug,found 'seeds={first: 200, start: 3, max: 10, until: decided}'
# ```
#
# This notebook trains nothing. It replays searches on 648 trials that are on record: all 216
# points of a grid over five knobs, with three seeds each (`make landscape`). So the truth is
# known, and a search can be repeated two hundred times to see what it does on average.

# %%
# %matplotlib inline
import numpy as np
import pandas as pd
from IPython.display import Markdown
from matplotlib.figure import Figure

from clip_hparam.analysis.evidence.searches.importance import importance
from clip_hparam.analysis.evidence.searches.replicate_means import average_replicates
from clip_hparam.analysis.evidence.searches.summary import format_summary, summarise
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.parts.knob_axes import parallel_coordinates
from clip_hparam.analysis.figures.search_payoff import plot_importance
from clip_hparam.analysis.figures.slice_parallel import plot_slices
from clip_hparam.analysis.frames.importing.import_table import to_trial_table
from clip_hparam.analysis.stats.intervals import estimate

KNOBS = ["lr", "layer_decay", "mixup", "crop_scale", "label_smoothing"]
LAST_EPOCH = "selection_acc1.9"
TUNING_SEED, FRESH_SEEDS = 0, [1, 2]
POINTS = 30

recorded = pd.read_csv("../../benchmarks/data/landscape.csv")
selection = recorded.pivot_table(index=KNOBS, columns="seed", values=LAST_EPOCH)
test = recorded.pivot_table(index=KNOBS, columns="seed", values="test_acc1")
print(f"{len(recorded)} trials, {len(selection)} points, seeds {list(selection.columns)}")

# %% [markdown]
# ## One search
#
# Thirty points at random, each trained with the tuning seed. The best one is chosen by its
# accuracy on the **selection** set: the test set selects nothing.
# This draw, number 7, was chosen among eight for a readable picture; *More points, more luck* below
# averages over many draws.

# %%
drawn = np.random.default_rng(7).choice(len(selection), POINTS, replace=False)
tried = selection[TUNING_SEED].iloc[drawn]
found = tried.idxmax()
chosen = ", ".join(f"{knob}={value:g}" for knob, value in zip(KNOBS, found, strict=True))
print(f"found: {chosen}")
print(f"selection accuracy with the tuning seed: {tried.max():.1f} %")


def plot_search(values: pd.Series) -> Figure:
    """Plot the points in their order, and the best so far."""
    figure, numbers = style.create_figure(style.PAGE_INCHES, 2.2), range(1, len(values) + 1)
    with style.house_style():
        axes = figure.subplots()
        axes.plot(numbers, values, "o", color=style.SEED_COLOUR, label="point")
        best = values.cummax()
        axes.step(numbers, best, where="post", color=style.EMA_COLOUR, label="best so far")
        axes.set(xlabel="point", ylabel="selection accuracy, %")
        style.add_legend(figure, *axes.get_legend_handles_labels())
    return figure


plot_search(tried)

# %% [markdown]
# ## What the search says about the knobs
#
# `clip-hparam summary` prints this for a search of your own. It advises a wider range only where
# the values at its end are better than those beside it, and it marks knobs that always moved
# together.

# %%
table = to_trial_table(tried.rename("selection_acc1").reset_index(), KNOBS, [], "selection_acc1")
points = average_replicates(table)
summary, gaps = summarise(points)
print(*gaps, format_summary(summary), sep="\n")

# %%
plot_slices(parallel_coordinates(points.points))

# %%
plot_importance(importance(points.points))

# %% [markdown]
# ## The winner is lucky
#
# The best of many points is the luckiest as well. Compare what the search saw (the tuning seed)
# with what the same point gives on seeds that the search never used.

# %%
seen, fresh = selection[TUNING_SEED], selection[FRESH_SEEDS].mean(axis=1)
print(
    f"this search: {seen[found]:.1f} % with the tuning seed, {fresh[found]:.1f} % with fresh seeds"
)


def winners_of(searches: int, points: int) -> pd.DataFrame:
    """Return what each of many random searches saw of its winner, and its value on fresh seeds."""
    rng = np.random.default_rng(1)
    draws = (rng.choice(len(seen), points, replace=False) for _ in range(searches))
    winners = [seen.iloc[draw].idxmax() for draw in draws]
    return pd.DataFrame({"seen": [seen[w] for w in winners], "fresh": [fresh[w] for w in winners]})


winners = winners_of(200, POINTS)
# seeds differ for every point alike; what is left of the difference is luck of the choice
luck = (winners["seen"] - winners["fresh"]).mean() - (seen - fresh).mean()
Markdown(
    f"Over 200 searches of {POINTS} points the winner loses **{luck:.1f} points** on fresh seeds, "
    "beyond what any point loses there."
)

# %% [markdown]
# ## More points, more luck
#
# A longer search finds better points *and* exaggerates them more. The distance between the two
# lines is what a report of the search alone would overstate.


# %%
def plot_luck(sizes: tuple[int, ...] = (1, 2, 5, 10, 20, 50, 100, 200)) -> Figure:
    """Plot the mean of the winner as the search saw it and on fresh seeds, by points tried."""
    shift = (seen - fresh).mean()
    means = {size: winners_of(200, size).mean() for size in sizes}
    lines = (("seen", "o-", "as the search saw it"), ("fresh", "s--", "on fresh seeds"))
    figure = style.create_figure(style.COLUMN_INCHES, 2.4)
    with style.house_style():
        axes = figure.subplots()
        for name, dashes, label in lines:
            values = [mean[name] - shift * (name == "seen") for mean in means.values()]
            axes.plot(sizes, values, dashes, color=style.EMA_COLOUR, label=label)
        axes.set(xscale="log", xlabel="points tried", ylabel="selection accuracy, %")
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
        axes.legend(frameon=False)
    return figure


plot_luck()

# %% [markdown]
# ## Is it better than what we had?
#
# The recipe before the search is `weak_aug`; the nearest point of the grid stands for it. The
# difference on fresh seeds, on the test set and paired by seed, is the honest comparison, and two
# seeds are too few for it:

# %%
reference = (6e-3, 0.5, 0.0, 0.75, 0.1)
difference = estimate((test.loc[found] - test.loc[reference])[FRESH_SEEDS])
known = estimate(test.loc[found] - test.loc[reference])
Markdown(
    f"Fresh seeds: **{difference.mean:+.2f} points**, 95 % interval {difference.low:+.1f} to "
    f"{difference.high:+.1f} over {difference.n} seeds. "
    f"With the tuning seed as a third: {known.mean:+.2f} ({known.low:+.1f} to {known.high:+.1f}), "
    "but that seed has chosen the point."
)

# %% [markdown]
# So the last command at the top is a race: it trains both recipes on fresh seeds, adds seeds until
# the difference is decided or the last seed is spent, and calls the winner *better*, *worse* or
# **UNDECIDED**. `export-recipe` writes that verdict into the recipe file.
#
# `python sweep.py -m sweeps=study budget=30m` does all of this, with a screening of many knobs
# before it, in one command ([docs/study.md](../../docs/study.md)).
