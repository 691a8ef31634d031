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
# What one knob does, from the records of `python sweep.py -m sweeps=lr` (or any other one-knob
# sweep: change `NAME`). The runs folder is `runs`, or what the environment variable
# `CLIP_HPARAM_RUNS` names.

# %%
# %matplotlib inline
import os

from IPython.display import display_markdown

from clip_hparam import analysis
from clip_hparam.analysis.evidence.evidence import ablation_of
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
# Two bands, since they say different things. The filled one is the 95 % t interval over seeds: more
# seeds make it narrower. The dotted one is the error of a finite test set, which no seed shrinks,
# but which is common to all levels: it counts when the accuracy itself is quoted, not when two
# levels are compared.

# %%
plot_knob_curve(knob_curve(frames, ablation))

# %% [markdown]
# ## The numbers
#
# Differences are paired by seed, to the first level of the design. A level is bold only where the
# interval of its difference excludes zero.

# %%
display_markdown(to_markdown(cell_table(frames, ablation)), raw=True)

# %% [markdown]
# ## How each level got there
#
# A level may be worse because it learns less, or because it overfits and its last epochs fall.

# %%
plot_cell_curves(cell_curves(frames, ablation))
