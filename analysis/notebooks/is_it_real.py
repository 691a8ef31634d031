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
# # 3. Is this difference real?
#
# **Question.** Two recipes differ by a few tenths of a point. Is that the recipe, or luck?
#
# Luck has three sources, and each has its own remedy: the **seed** (more seeds), the **test
# images** (a larger test set), and the **choice** of the best among many (a set that did not
# choose). This notebook asks about them one after another, on the ladder of [notebook
# 1](ladder.ipynb). Set `BEFORE` and `AFTER` to any two cells of your own sweeps; `clip-hparam
# compare BEFORE AFTER` prints the first part in the terminal.

# %%
# %matplotlib inline
import pandas as pd
from example_records import records
from IPython.display import Markdown
from matplotlib.figure import Figure

from clip_hparam import analysis
from clip_hparam.analysis.evidence.compare import compare_cells
from clip_hparam.analysis.evidence.images.correct_bits import reported_bits
from clip_hparam.analysis.evidence.lookup import cell_trials
from clip_hparam.analysis.evidence.selection import selection_effect
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.frames.frame import reported_values
from clip_hparam.analysis.frames.labels import format_knob
from clip_hparam.analysis.frames.manifests import newest_by_name
from clip_hparam.analysis.stats.binomial import mcnemar
from clip_hparam.analysis.stats.bootstrap import seed_image_interval
from clip_hparam.analysis.stats.intervals import paired_differences
from clip_hparam.analysis.stats.power import power, seeds_needed

BEFORE, AFTER = "ladder/lower_lr", "ladder/ema"
frames = analysis.load(records("ladder"))

# %% [markdown]
# ## Over seeds
#
# Both runs of a seed share data, data order and initial weights, so their difference varies less
# than either of them. The interval is a t interval: with five seeds a percentile bootstrap covers
# only 83 % where it claims 95.

# %%
comparison = compare_cells(frames, BEFORE, AFTER)
delta = comparison.difference
for knob, (old, new) in comparison.differs.items():
    print(f"changed: {knob} {format_knob(old)} → {format_knob(new)}")
print(f"difference over {delta.n} seeds: {delta.mean:+.2f} points")
print(f"95 % interval: {delta.low:+.2f} to {delta.high:+.2f}, p = {delta.p:.2g}")


# %%
def plot_pairs(before: pd.Series, after: pd.Series) -> Figure:
    """Plot a line per seed from its accuracy before to that after, and the means."""
    figure = style.create_figure(style.COLUMN_INCHES, 2.4)
    with style.house_style():
        axes = figure.subplots()
        for seed in before.index.intersection(after.index):
            pair = [before[seed], after[seed]]
            axes.plot([0, 1], pair, "o-", color=style.SEED_COLOUR, alpha=0.6, markersize=3)
        means = [before.mean(), after.mean()]
        axes.plot([0, 1], means, "s-", color=style.EMA_COLOUR, label="mean")
        axes.set_xticks([0, 1], [BEFORE.partition("/")[2], AFTER.partition("/")[2]])
        axes.set(xlim=(-0.3, 1.3), ylabel="test accuracy, %")
        axes.legend(frameon=False)
    return figure


before, after = (cell_trials(frames, name) for name in (BEFORE, AFTER))
plot_pairs(reported_values(before), reported_values(after))

# %% [markdown]
# ## Over seeds and test images
#
# Another test set would give another difference. The interval below covers both sources: it
# resamples seeds and images together. With one seed per side, McNemar's test on the images is all
# that is left, and it speaks about that one seed only.

# %%
bits_after, bits_before = reported_bits(after), reported_bits(before)
both = seed_image_interval(bits_after, bits_before)
points = [f"{value:+.2f}" for value in both]
print(
    f"over seeds and {bits_after.shape[1]:,} test images: {points[0]} ({points[1]} to {points[2]})"
)
one = mcnemar(bits_after[0], bits_before[0])
print(f"first seed alone: {one.gained} images gained, {one.lost} lost, p = {one.p:.2g} (McNemar)")

# %% [markdown]
# ## How many seeds would be enough?
#
# The spread of the paired differences gives the power of the test: the probability that so many
# seeds detect a true difference of a given size.

# %%
spread = paired_differences(reported_values(after), reported_values(before)).std(ddof=1)
for size in (0.2, 0.5, 1.0):
    print(f"seeds for a power of 0.8 at {size} points: {seeds_needed(spread, size)}")


def plot_power(differences: tuple[float, ...] = (0.2, 0.5, 1.0)) -> Figure:
    """Plot the power against the number of seeds for some true differences in points."""
    seeds = range(2, 31)
    figure = style.create_figure(style.COLUMN_INCHES, 2.2)
    with style.house_style():
        axes = figure.subplots()
        for difference, dashes in zip(differences, ("-", "--", ":"), strict=True):
            powers = [power(spread, difference, n) for n in seeds]
            axes.plot(seeds, powers, dashes, color=style.EMA_COLOUR, label=f"{difference} points")
        axes.axhline(0.8, color=style.SEED_COLOUR, linewidth=0.6)
        axes.set(xlabel="seeds", ylabel="power", ylim=(0, 1.03))
        axes.legend(frameon=False)
    return figure


plot_power()

# %% [markdown]
# ## Was the best cell chosen by the numbers that are reported?
#
# The test accuracy of the cell that is best *on the test set* is biased upwards: with enough
# cells, one of them is lucky. The cell that is best on the held-out selection set may be reported.

# %%
cells = newest_by_name(frames.sweeps)["ladder"].cells
found = {cell.label: cell_trials(frames, f"ladder/{cell.label}") for cell in cells}
selection = pd.Series(
    {name: reported_values(rows, "selection_acc1").mean() for name, rows in found.items()}
)
test = pd.Series({name: reported_values(rows).mean() for name, rows in found.items()})
effect = selection_effect(selection, test)
Markdown(
    f"Best on the selection set: **{effect.chosen}**, test accuracy {effect.reported:.2f} %. "
    f"Best on the test set: {effect.claimed_for}, {effect.claimed:.2f} %. "
    f"Reporting the latter would add {effect.optimism:.2f} points of luck."
)
