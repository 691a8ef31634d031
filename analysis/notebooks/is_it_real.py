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
# # Is this difference real?
#
# Four questions about two cells of a sweep: how large is the difference over seeds, does it hold
# for other test images, how many seeds are enough, and how large is the bias of selecting the best
# cell on the test set. Set `BEFORE` and `AFTER` to any two cells (`clip-hparam compare` prints the
# first part).

# %%
# %matplotlib inline
import os

import pandas as pd
from matplotlib.figure import Figure

from clip_hparam import analysis
from clip_hparam.analysis.evidence.compare import compare_cells
from clip_hparam.analysis.evidence.images.correct_bits import reported_bits
from clip_hparam.analysis.evidence.lookup import cell_trials
from clip_hparam.analysis.evidence.selection import selection_effect
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.frames.frame import reported_values
from clip_hparam.analysis.frames.manifests import newest_by_name
from clip_hparam.analysis.stats.binomial import mcnemar
from clip_hparam.analysis.stats.bootstrap import seed_image_interval
from clip_hparam.analysis.stats.intervals import paired_differences
from clip_hparam.analysis.stats.power import power, seeds_needed

BEFORE, AFTER = "ladder/lower_lr", "ladder/ema"
frames = analysis.load(os.environ.get("CLIP_HPARAM_RUNS", "runs"))

# %% [markdown]
# ## Over seeds
#
# Runs of one seed share data, data order and initial weights, so their difference has a lower
# variance than each run. The interval is a t interval: with five seeds a percentile bootstrap
# covers 83 % at a nominal 95 %.

# %%
comparison = compare_cells(frames, BEFORE, AFTER)
delta = comparison.difference
print("knobs that differ:", comparison.differs)
print(f"{delta.mean:+.2f} points, 95 % interval {delta.low:+.2f} to {delta.high:+.2f}")
print(f"p = {delta.p:.2g} over {delta.n} seeds")

# %% [markdown]
# ## Over seeds and test images
#
# Another test set would give another difference. This interval covers both sources of variation.
# With one seed per side only McNemar's test remains; its result holds for this seed only.

# %%
before, after = (cell_trials(frames, name) for name in (BEFORE, AFTER))
bits_after, bits_before = reported_bits(after), reported_bits(before)
print(seed_image_interval(bits_after, bits_before))
print("the first seed alone:", mcnemar(bits_after[0], bits_before[0]))

# %% [markdown]
# ## Number of seeds
#
# The standard deviation of the paired differences gives the power of a t test over n seeds: the
# probability that it detects a true difference of 0.2 points.

# %%
spread = paired_differences(reported_values(after), reported_values(before)).std(ddof=1)
print("seeds for a power of 0.8 at 0.2 points:", seeds_needed(spread, 0.2))


def plot_power(differences: tuple[float, ...] = (0.2, 0.5, 1.0)) -> Figure:
    """Plot the power against the number of seeds for some true differences in points."""
    seeds = range(2, 31)
    figure = style.create_figure(style.COLUMN_INCHES, 2.2)
    axes = figure.subplots()
    for difference, dashes in zip(differences, ("-", "--", ":"), strict=True):
        powers = [power(spread, difference, n) for n in seeds]
        axes.plot(seeds, powers, dashes, color=style.EMA_COLOUR, label=f"{difference} points")
    axes.set(xlabel="seeds", ylabel="power", ylim=(0, 1.03))
    axes.legend(frameon=False)
    return figure


plot_power()

# %% [markdown]
# ## Bias of selecting on the test set
#
# The test accuracy of the cell with the highest test accuracy is biased upwards. The cell that is
# best on the held-out selection set may be reported.

# %%
cells = newest_by_name(frames.sweeps)["ladder"].cells
trials = {cell.label: cell_trials(frames, f"ladder/{cell.label}") for cell in cells}
selection = pd.Series(
    {name: reported_values(rows, "selection_acc1").mean() for name, rows in trials.items()}
)
test = pd.Series({name: reported_values(rows).mean() for name, rows in trials.items()})
selection_effect(selection, test)
