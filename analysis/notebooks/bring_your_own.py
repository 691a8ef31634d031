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
# Any table of trials will do: a row a trial, some columns are knobs, some are metrics. On the
# command line:
#
#     python -m analysis import results.csv --out mine \
#         --knob lr --knob mixup --knob augment --metric ood --objective top1 --name run
#     python -m analysis summary mine
#     python -m analysis report --runs mine
#
# Here the table is made up, with a truth that is known: `lr` matters most, `augment` a little,
# `mixup` (sometimes not given) not at all. Put `pandas.read_csv("results.csv")` in its place.

# %%
# %matplotlib inline
import numpy as np
import pandas as pd

from clip_hparam.analysis.evidence.importance import importance
from clip_hparam.analysis.evidence.summary import format_summary, summary_dict
from clip_hparam.analysis.figures.search_payoff import best_of_n, plot_best_of_n, plot_importance
from clip_hparam.analysis.figures.slice_parallel import (
    parallel_coordinates,
    plot_parallel_coordinates,
    plot_slices,
)
from clip_hparam.analysis.frames.import_table import to_trial_table

draw = np.random.default_rng(0)
table = pd.DataFrame(
    {
        "run": [f"run {number}" for number in range(60)],
        "lr": 10 ** draw.uniform(-6, -3, 60),
        "mixup": draw.choice([0.0, 0.5, np.nan], 60),
        "augment": draw.choice(["weak", "strong"], 60),
    }
)
gain = -((np.log10(table["lr"]) + 4.5) ** 2) + 0.6 * (table["augment"] == "weak")
table["top1"] = 80 + gain + draw.normal(0, 0.2, 60)
table["ood"] = 50 + gain / 2 + draw.normal(0, 0.5, 60)
table.head()

# %% [markdown]
# Rows that are equal in everything but their name count once; a missing cell is a level of its own.

# %%
study = to_trial_table(table, ["lr", "mixup", "augment"], ["ood"], "top1", name="run")

# %% [markdown]
# ## What was found, and how sure that is
#
# Two importances, since they answer two questions: what explains the spread over all trials, and
# what sets the best tenth apart. Shares that move between refits are no findings.

# %%
shares = importance(study)
print(format_summary(summary_dict(study, shares), study))

# %%
plot_importance(shares)

# %% [markdown]
# ## Each knob alone, and all at once

# %%
plot_slices(parallel_coordinates(study))

# %%
plot_parallel_coordinates(parallel_coordinates(study))

# %% [markdown]
# ## What more trials would have bought

# %%
plot_best_of_n(best_of_n(study))
