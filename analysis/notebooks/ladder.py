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
import pandas as pd
from example_records import records
from IPython.display import Markdown
from matplotlib.figure import Figure

from clip_hparam import analysis
from clip_hparam.analysis.evidence.ablations import ABLATIONS
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.ladder import ladder_panels, plot_ladder
from clip_hparam.analysis.frames.manifests import newest_by_name
from clip_hparam.analysis.report.page.curves import reported_accuracy
from clip_hparam.analysis.tables.cell_table import cell_table
from clip_hparam.analysis.tables.conclusions import conclusion
from clip_hparam.analysis.tables.render import to_markdown

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
# `frames.epochs` has a row per epoch. Each panel shows one rung: the mean over its seeds, and the
# band from its worst to its best seed; dashed, the rung before. An epoch is selected by these
# held-out images of the training set, never by the test set.

# %%
accuracy = reported_accuracy(frames.epochs)
curves = frames.epochs.assign(accuracy=accuracy, epoch=frames.epochs["epoch"] + 1).pivot_table(
    index="trial_id", columns="epoch", values="accuracy"
)
by_rung = {
    cell.label: curves.reindex(list(cell.trials.values())).dropna(how="all", axis="columns")
    for cell in newest_by_name(frames.sweeps)["ladder"].cells
}


def plot_mean_curves(rungs: dict[str, pd.DataFrame]) -> Figure:
    """Plot mean and range over seeds, one panel per rung."""
    figure = style.create_figure(style.PAGE_INCHES, 3.4)
    with style.house_style():
        panels = figure.subplots(2, 4, sharex=True, sharey=True).ravel()
        before = None
        for axes, (name, seeds) in zip(panels, rungs.items(), strict=False):
            axes.fill_between(seeds.columns, seeds.min(), seeds.max(), color=style.OURS_COLOUR)
            axes.plot(seeds.columns, seeds.mean(), color=style.EMA_COLOUR)
            if before is not None:
                axes.plot(before.columns, before.mean(), "--", color=style.SEED_COLOUR)
            axes.set_title(name.replace("_", " "))
            before = seeds
        for axes in panels[len(rungs) :]:
            axes.set_axis_off()
        figure.supxlabel("epoch", fontsize="medium")
        figure.supylabel("selection accuracy, %", fontsize="medium")
    return figure


plot_mean_curves(by_rung)
