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
# # Knob curves
#
# The effect of one knob, from the records of `python sweep.py -m sweeps=lr` (or of another one-knob
# sweep: change `NAME`). The runs folder is `runs`; the environment variable `CLIP_HPARAM_RUNS` sets
# another one.

# %%
# %matplotlib inline
import os

from IPython.display import display_markdown

from clip_hparam import analysis
from clip_hparam.analysis.evidence.ablations import ablation_of
from clip_hparam.analysis.figures.knob_curve import knob_curve, plot_knob_curve
from clip_hparam.analysis.figures.learning_curves import cell_curves, plot_cell_curves
from clip_hparam.analysis.tables.render import to_markdown
from clip_hparam.analysis.tables.table import cell_table

NAME = "lr"
frames = analysis.load(os.environ.get("CLIP_HPARAM_RUNS", "runs"))
ablation = ablation_of(frames, NAME)

# %% [markdown]
# ## The curve
#
# The filled band is the 95 % t interval over seeds; more seeds make it narrower. The dotted band is
# the error of a finite test set, which more seeds do not reduce. It is common to all levels, so it
# matters for the accuracy itself and not for the comparison of two levels.

# %%
plot_knob_curve(knob_curve(frames, ablation))

# %% [markdown]
# ## The numbers
#
# Differences are paired by seed and taken to the first level of the design. A level is bold if the
# interval of its difference excludes zero.

# %%
display_markdown(to_markdown(cell_table(frames, ablation)), raw=True)

# %% [markdown]
# ## Learning curves of the levels
#
# A level may be worse because it underfits, or because it overfits and its accuracy falls in the
# last epochs.

# %%
plot_cell_curves(cell_curves(frames, ablation))
