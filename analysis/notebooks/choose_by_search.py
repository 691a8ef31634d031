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
# # 5. Choose by a search, then prove it
#
# **Question.** A search over five knobs found a point that looks better than the recipe we had. Is
# it?
#
# The records of this notebook come with it, on the digits data set. A search tries points on one
# tuning seed, its best point becomes a recipe, and a race compares that recipe with the old one on
# fresh seeds:
#
# ```sh
# python sweep.py -m sweeps=search hydra.sweeper.n_trials=24
# clip-hparam export-recipe search --out conf/recipe/found.yaml
# python sweep.py -m recipe=weak_aug,found 'seeds={first: 200, start: 3, max: 10, until: decided}'
# ```
#
# `python sweep.py -m sweeps=study budget=30m` does all of this, and a screening before it, in one
# command ([docs/study.md](../../docs/study.md)).

# %%
# %matplotlib inline
from example_records import records
from IPython.display import Markdown

from clip_hparam import analysis
from clip_hparam.analysis.evidence.ablations import ablation_of
from clip_hparam.analysis.evidence.searches.importance import importance
from clip_hparam.analysis.evidence.searches.pruning import pruning_savings
from clip_hparam.analysis.evidence.searches.replicate_means import point_table
from clip_hparam.analysis.evidence.searches.summary import format_summary, summarise
from clip_hparam.analysis.evidence.studies.proof import raced_cells
from clip_hparam.analysis.figures.parts.knob_axes import parallel_coordinates
from clip_hparam.analysis.figures.progress.history import history, plot_history
from clip_hparam.analysis.figures.search_payoff import plot_importance
from clip_hparam.analysis.figures.slice_parallel import plot_slices
from clip_hparam.analysis.frames.manifests import find_sweeps
from clip_hparam.analysis.tables.render import to_markdown
from clip_hparam.analysis.tables.table import cell_table

SEARCH, RACE = "search", "recipe"
frames = analysis.load(records("search"))
search, race = (find_sweeps(frames.sweeps, name)[-1] for name in (SEARCH, RACE))

# %% [markdown]
# ## What the search did
#
# Every point in the order in which it was tried, and the best so far. A pruned point was stopped
# early, because others were better at the same epoch. All numbers are of the **selection** set:
# the test set selects nothing.

# %%
plot_history(history(frames, ablation_of(frames, SEARCH)))

# %% [markdown]
# ## What it found
#
# The summary names the best point, and warns only where the data support it: a range is to be
# widened if the values at its end are better than those beside it.

# %%
points = point_table(frames, search)
summary, gaps = summarise(points)
summary = summary._replace(savings=pruning_savings(frames, search))
print(*gaps, format_summary(summary), sep="\n")

# %%
plot_slices(parallel_coordinates(points.points))

# %%
plot_importance(importance(points.points))

# %% [markdown]
# ## Is it better?
#
# The best of many points is the luckiest as well, so its accuracy in the search proves nothing.
# The race trains both recipes on seeds that the search never used, and adds seeds until the
# difference is decided or the last seed is spent. Its intervals stay valid although it looks at
# the data after each seed.

# %%
Markdown(to_markdown(cell_table(frames, ablation_of(frames, RACE))))

# %%
Markdown("\n".join(f"- {cell.sentence}." for cell in raced_cells(frames, race)))

# %% [markdown]
# An undecided race is an answer too: the two recipes are closer than these seeds can tell. Keep
# the simpler one, or ask for the size that would matter and plan the seeds for it ([notebook
# 3](is_it_real.ipynb)).
