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
# # 1. A ladder of changes
#
# **Question.** Seven recipes for fine-tuning CLIP, each with one change more than the one before.
# Which of the changes help, by how much, and how sure are we?
#
# The records of this notebook come with it: ten seeds of each recipe on rendered characters, made
# by
#
# ```sh
# python sweep.py -m sweeps=ladder seeds=10
# ```
#
# To read your own runs instead, set `CLIP_HPARAM_RUNS=runs` before you start Jupyter, or replace
# `records("ladder")` by the path of the folder.
#
# Next: [2. One knob](knob_curves.ipynb), [3. Is this difference real?](is_it_real.ipynb), [4.
# Bring your own results](bring_your_own.ipynb), [5. Choose by a search](choose_by_search.ipynb).

# %%
# %matplotlib inline
from example_records import records
from IPython.display import Markdown

from clip_hparam import analysis
from clip_hparam.analysis.evidence.ablations import ABLATIONS
from clip_hparam.analysis.figures.ladder import ladder_panels, plot_ladder
from clip_hparam.analysis.figures.learning_curves import cell_curves, plot_cell_curves
from clip_hparam.analysis.tables.conclusions import conclusion
from clip_hparam.analysis.tables.render import to_markdown
from clip_hparam.analysis.tables.table import cell_table

frames = analysis.load(records("ladder"))
trials = frames.trials
hours = trials["cost.seconds"].sum() / 3600
print(f"{len(trials)} trials, {hours:.1f} hours of one core; not used: {frames.problems or 'none'}")

# %% [markdown]
# ## What a record is
#
# `frames.trials` has a row per trial: a column per knob, and a column per metric, named by its
# split, its weights (`raw` or `ema`) and the rule that picked the epoch. `docs/frame.md` lists
# them all.

# %%
columns = ["seed", "lr", "layer_decay", "ema_decay", "epochs", "test_acc1.raw.selected"]
trials[columns].sort_values(["lr", "ema_decay", "seed"]).head(8).reset_index(drop=True)

# %% [markdown]
# ## The table
#
# Every mean has its number of seeds and a 95 % interval. Every difference is to the rung before
# and *paired by seed*: the two runs of a seed share data, data order and initial weights, so most
# of the luck of a seed cancels. **Bold**: the interval excludes zero.

# %%
ladder = ABLATIONS["ladder"]
table = cell_table(frames, ladder)
Markdown(to_markdown(table))

# %% [markdown]
# In one sentence, with p values that are corrected for the number of steps (Holm):

# %%
Markdown(conclusion(frames, ladder))

# %% [markdown]
# The numbers behind the text are unrounded, with the ids of their trials, so that nothing has to
# be typed by hand into a paper. `clip-hparam tables ladder` writes the same as CSV, LaTeX and
# HTML.

# %%
shown = ["rung", "test_acc1", "delta", "delta_low", "delta_high", "delta_p_holm", "baseline_delta"]
table.data[shown].set_index("rung").round(3)

# %% [markdown]
# ## The figure
#
# A dot is a seed, the line is the 95 % interval of the mean. Beside them the numbers that the
# paper reports for CLIP B/16 on ImageNet: compare the signs of the steps, not their sizes.

# %%
plot_ladder(ladder_panels(frames))

# %% [markdown]
# ## Learning curves
#
# Mean and band over the seeds of each rung. An epoch is selected by held-out images of the
# training set, never by the test set.

# %%
plot_cell_curves(cell_curves(frames, ladder))
