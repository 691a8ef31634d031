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
# # 2. The curve of one knob
#
# **Question.** How does the accuracy depend on the learning rate, and how precisely must it be
# set?
#
# The records of this notebook come with it: five learning rates with three seeds each on the
# digits data set, made by
#
# ```sh
# python sweep.py -m sweeps=lr seeds=3
# ```
#
# Another sweep of one knob works in the same way: change `NAME`, and read your own runs with
# `CLIP_HPARAM_RUNS=runs`.

# %%
# %matplotlib inline
from example_records import records
from IPython.display import Markdown

from clip_hparam import analysis
from clip_hparam.analysis.evidence.ablations import ablation_of
from clip_hparam.analysis.figures.knob_curve import knob_curve, plot_knob_curve
from clip_hparam.analysis.figures.learning_curves import cell_curves, plot_cell_curves
from clip_hparam.analysis.tables.cell_table import cell_table
from clip_hparam.analysis.tables.conclusions import conclusion
from clip_hparam.analysis.tables.render import to_markdown

NAME = "lr"
frames = analysis.load(records("lr"))
ablation = ablation_of(frames, NAME)

# %% [markdown]
# ## The curve
#
# Small dots are seeds. The bars are the 95 % interval of the mean over seeds; more seeds make them
# shorter. The dotted lines are the error of a finite test set, which more seeds do not reduce. It
# is common to all levels, so it matters for the accuracy itself and not for the comparison of two
# levels.

# %%
plot_knob_curve(knob_curve(frames, ablation))

# %% [markdown]
# ## The numbers
#
# Differences are paired by seed and taken to the first level. **Bold**: the interval excludes
# zero. The notes below the table say which level the *selection* set chooses: that one may be
# reported, the best on the test set may not.

# %%
Markdown(to_markdown(cell_table(frames, ablation)))

# %%
Markdown(conclusion(frames, ablation))

# %% [markdown]
# ## Too low or too high?
#
# A level can be worse because it has not converged, or because it diverges early or overfits late.
# The curves tell which.

# %%
plot_cell_curves(cell_curves(frames, ablation))
