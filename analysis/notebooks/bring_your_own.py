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
# # 4. Bring your own results
#
# **Question.** The runs were made by another tool. What can be said about them?
#
# The input is any table with a row per run and columns of knobs, metrics and, if there is one, the
# seed: a CSV of Weights & Biases, an Optuna storage, a Ray folder, or a spreadsheet. On the
# command line:
#
# ```sh
# clip-hparam import results.csv --out mine --knob lr --knob mixup --knob cutmix --knob augment \
#     --seed seed --metric ood --objective top1
# clip-hparam summary mine
# clip-hparam report --runs mine
# ```
#
# This notebook uses a made-up table, so that the truth is known: `lr` matters most and its optimum
# is above all values that were tried; `augment` matters a little; `mixup` has no effect; `cutmix`
# was always changed together with `mixup`. Replace `results` by `pandas.read_csv("results.csv")`.

# %%
# %matplotlib inline
from itertools import product

import numpy as np
import pandas as pd

from clip_hparam.analysis.evidence.searches.importance import importance
from clip_hparam.analysis.evidence.searches.replicate_means import average_replicates
from clip_hparam.analysis.evidence.searches.summary import format_summary, summarise
from clip_hparam.analysis.figures.parts.knob_axes import parallel_coordinates
from clip_hparam.analysis.figures.search_payoff import best_of_n, plot_best_of_n, plot_importance
from clip_hparam.analysis.figures.slice_parallel import plot_parallel_coordinates, plot_slices
from clip_hparam.analysis.frames.importing.import_table import to_trial_table

rng = np.random.default_rng(0)
levels = product([1e-6, 1e-5, 1e-4, 1e-3], [0.0, 0.5], ["weak", "strong"], range(3))
results = pd.DataFrame(levels, columns=["lr", "mixup", "augment", "seed"])
results["cutmix"] = 2 * results["mixup"]
luck = rng.normal(0, 0.5, 3)[results["seed"]]
gain = 1.5 * np.log10(results["lr"]) + 0.6 * (results["augment"] == "weak")
results["top1"] = 85 + gain + luck + rng.normal(0, 0.3, len(results))
results["ood"] = 50 + gain / 2 + rng.normal(0, 0.5, len(results))
results.head()

# %% [markdown]
# ## Rows become points
#
# Rows that differ only in their seed are replicates: a point is their mean, so that the best point
# is not the luckiest seed. A seed is never a knob.

# %%
knobs = ["lr", "mixup", "cutmix", "augment"]
table = to_trial_table(results, knobs, ["ood"], "top1", seed="seed")
points = average_replicates(table)
print(f"{len(points.trials.rows)} runs, {len(points.points.rows)} points")

# %% [markdown]
# ## The summary
#
# Read it with the truth in mind. It advises a wider range for `lr`, since the values at its end
# are better than those beside it in paired runs; it marks `mixup` and `cutmix`, whose effects
# nothing in this table can tell apart.

# %%
summary, _ = summarise(points)
print(format_summary(summary))

# %% [markdown]
# ## Which knobs matter?
#
# Two methods, each with its spread over refits: fANOVA explains the variance over all points,
# PED-ANOVA explains what distinguishes the best. A share that varies much between refits is no
# evidence.

# %%
plot_importance(importance(points.points))

# %% [markdown]
# ## Slices and parallel coordinates

# %%
plot_slices(parallel_coordinates(points.points))

# %%
plot_parallel_coordinates(parallel_coordinates(points.points))

# %% [markdown]
# ## Would fewer runs have been enough?
#
# The expected best of *n* of these points, drawn at random. Where the curve is flat, more points
# of the same kind buy little.

# %%
plot_best_of_n(best_of_n(points.points))
