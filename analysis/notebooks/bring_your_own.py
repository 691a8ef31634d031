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
# # Bring your own results
#
# The input is any table with a row per trial and columns of knobs and metrics. The same on the
# command line:
#
#     python -m analysis import results.csv --out mine \
#         --knob lr --knob mixup --knob augment --metric ood --objective top1 --name run
#     python -m analysis summary mine
#     python -m analysis report --runs mine
#
# This notebook uses a synthetic table of known truth: `lr` matters most, `augment` a little, and
# `mixup` (sometimes missing) has no effect. Replace it by `pandas.read_csv("results.csv")`.

# %%
# %matplotlib inline
import numpy as np
import pandas as pd

from clip_hparam.analysis.evidence.searches.importance import importance
from clip_hparam.analysis.evidence.searches.summary import format_summary, summary_dict
from clip_hparam.analysis.figures.search_payoff import best_of_n, plot_best_of_n, plot_importance
from clip_hparam.analysis.figures.slice_parallel import (
    parallel_coordinates,
    plot_parallel_coordinates,
    plot_slices,
)
from clip_hparam.analysis.frames.importing.import_table import to_trial_table

rng = np.random.default_rng(0)
results = pd.DataFrame(
    {
        "run": [f"run {number}" for number in range(60)],
        "lr": 10 ** rng.uniform(-6, -3, 60),
        "mixup": rng.choice([0.0, 0.5, np.nan], 60),
        "augment": rng.choice(["weak", "strong"], 60),
    }
)
gain = -((np.log10(results["lr"]) + 4.5) ** 2) + 0.6 * (results["augment"] == "weak")
results["top1"] = 80 + gain + rng.normal(0, 0.2, 60)
results["ood"] = 50 + gain / 2 + rng.normal(0, 0.5, 60)
results.head()

# %% [markdown]
# Rows that differ only in their name are counted and kept. A missing knob is a level of its own.

# %%
table = to_trial_table(results, ["lr", "mixup", "augment"], ["ood"], "top1", name="run")

# %% [markdown]
# ## Summary and importance
#
# fANOVA explains the variance over all trials; PED-ANOVA explains what distinguishes the best
# tenth. A share that varies much between refits is no evidence.

# %%
shares = importance(table)
print(format_summary(summary_dict(table, shares), table))

# %%
plot_importance(shares)

# %% [markdown]
# ## Slice plots and parallel coordinates

# %%
plot_slices(parallel_coordinates(table))

# %%
plot_parallel_coordinates(parallel_coordinates(table))

# %% [markdown]
# ## Expected best result against the number of trials

# %%
plot_best_of_n(best_of_n(table))
