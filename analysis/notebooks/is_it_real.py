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
# Two cells of a sweep on record, and four questions: how large is the difference over seeds, would
# it hold on other test images, how many seeds would be enough, and what would picking the best have
# claimed. Change `BEFORE` and `AFTER` to any two cells (`clip-hparam compare` does the first part).

# %%
# %matplotlib inline
import os

import pandas as pd
from matplotlib.figure import Figure

from clip_hparam import analysis
from clip_hparam.analysis.evidence.compare import compare_cells
from clip_hparam.analysis.evidence.correct_bits import reported_bits
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
# The runs of one seed share their data, their order and their first weights, so the difference of
# two of them varies less than either does. The interval is a t interval: with five seeds a
# percentile bootstrap would cover 83 % where it claims 95.

# %%
found = compare_cells(frames, BEFORE, AFTER)
delta = found.difference
print("what differs:", found.differs)
print(f"{delta.mean:+.2f} points, 95 % interval {delta.low:+.2f} to {delta.high:+.2f}")
print(f"p = {delta.p:.2g} over {delta.n} seeds")

# %% [markdown]
# ## Over test images too
#
# Other test images would have given another difference. This interval leaves both open. With one
# seed a side all that is left is McNemar's test, which says nothing of what another seed would do.

# %%
before, after = (cell_trials(frames, name) for name in (BEFORE, AFTER))
ours, theirs = reported_bits(after), reported_bits(before)
print(seed_image_interval(ours, theirs))
print("one seed alone:", mcnemar(ours[0], theirs[0]))

# %% [markdown]
# ## How many seeds would be enough
#
# From how much the paired differences vary: the chance that a t test over n seeds finds a true
# difference of 0.2 points.

# %%
spread = paired_differences(reported_values(after), reported_values(before)).std(ddof=1)
print("seeds to find 0.2 points four times in five:", seeds_needed(spread, 0.2))


def chances(differences: tuple[float, ...] = (0.2, 0.5, 1.0)) -> Figure:
    """The chance to find a true difference, by the number of seeds."""
    seeds = range(2, 31)
    drawn = style.create_figure(style.COLUMN_INCHES, 2.2)
    axes = drawn.subplots()
    for difference, dashes in zip(differences, ("-", "--", ":"), strict=True):
        found = [power(spread, difference, n) for n in seeds]
        axes.plot(seeds, found, dashes, color=style.EMA_COLOUR, label=f"{difference} points")
    axes.set(xlabel="seeds", ylabel="chance to find it", ylim=(0, 1.03))
    axes.legend(frameon=False)
    return drawn


chances()

# %% [markdown]
# ## What picking the best would have claimed
#
# The best cell by its test accuracy looks better than it is: its luck was picked with it. The one
# that the held-out selection set prefers may be reported.

# %%
cells = newest_by_name(frames.sweeps)["ladder"].cells
trials = {cell.label: cell_trials(frames, f"ladder/{cell.label}") for cell in cells}
selection = pd.Series(
    {name: reported_values(one, "selection_acc1").mean() for name, one in trials.items()}
)
test = pd.Series({name: reported_values(one).mean() for name, one in trials.items()})
selection_effect(selection, test)
