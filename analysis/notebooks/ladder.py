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
# # The ladder
#
# Table, figure and one learning curve from the records of `python sweep.py -m sweeps=ladder`. The
# runs folder is `runs`; the environment variable `CLIP_HPARAM_RUNS` sets another one.

# %%
# %matplotlib inline
import os

from IPython.display import display_markdown

from clip_hparam import analysis
from clip_hparam.analysis.evidence.ablations import ABLATIONS
from clip_hparam.analysis.figures.ladder import ladder_panels, plot_ladder
from clip_hparam.analysis.figures.learning_curves import learning_curve, plot_learning_curve
from clip_hparam.analysis.tables.render import to_markdown
from clip_hparam.analysis.tables.table import cell_table

frames = analysis.load(os.environ.get("CLIP_HPARAM_RUNS", "runs"))
print(*frames.problems, sep="\n")  # records that were not used, with the reason

# %% [markdown]
# One row per trial: a column per knob, and a column per metric, split, weights and epoch rule.

# %%
frames.trials[["label", "status", "lr", "layer_decay", "test_acc1.raw.selected", "cost.seconds"]]

# %% [markdown]
# ## The table
#
# Every mean has an n and an interval; every difference is paired by seed.

# %%
ladder = cell_table(frames, ABLATIONS["ladder"])
display_markdown(to_markdown(ladder), raw=True)

# %% [markdown]
# The same numbers unrounded, with Holm-adjusted p values and the trial ids of each row:

# %%
ladder.data.set_index("rung")[["test_acc1", "delta", "delta_p_holm", "baseline_delta", "trials"]]

# %% [markdown]
# ## The figure

# %%
plot_ladder(ladder_panels(frames))

# %% [markdown]
# ## One learning curve
#
# The first finished run with EMA. Its epoch was selected on held-out images of the training set,
# not on the test set.

# %%
trial_id = frames.trials.query("status == 'done' and ema_decay > 0")["trial_id"].iloc[0]
plot_learning_curve(learning_curve(frames, trial_id))
