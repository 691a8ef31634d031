"""Figures of records with too little or too much in them: a sentence, or a legible figure."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.figure_texts import shown_texts, text_faults
from support.trial_factory import Runs

from clip_hparam.analysis.figures import registry, style
from clip_hparam.analysis.figures.parts.formats import escape_tex, save_figure
from clip_hparam.analysis.figures.parts.knob_axes import parallel_coordinates, strongest_knobs
from clip_hparam.analysis.figures.slice_parallel import plot_parallel_coordinates, plot_slices
from clip_hparam.analysis.frames.trial_table import TrialTable

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def two_levels(runs: Runs) -> Runs:
    """Write a sweep of one knob with two levels and two seeds."""
    for lr in (1e-3, 2e-3):
        for seed in (0, 1):
            runs.done({"lr": lr}, seed, 95.0 + seed + 100 * lr)
    runs.sweep("mine", {f"lr={lr}": {"lr": lr} for lr in (1e-3, 2e-3)}, seeds=[0, 1])
    return runs


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("heatmap mine", "mine is not a grid of two knobs"),
        ("parallel mine", "need two knobs, and the trials of mine vary 1: type slice instead"),
        ("importance mine", "importance needs 10 rows"),
        ("curves other", "other is not one of the figures: "),
        ("history", "figures history needs the name of a sweep after it: mine"),
        ("mine --style posters", "invalid choice: 'posters'"),
    ],
)
def test_figure_that_cannot_be_drawn_is_a_sentence(
    two_levels: Runs, call: Call, words: str, sentence: str
) -> None:
    code, out, err = call("figures", *words.split())
    assert (code, out) == (2, "")
    assert sentence in err
    assert "Traceback" not in err


def test_kind_of_a_sweep_without_finished_trials_is_a_sentence(runs: Runs, call: Call) -> None:
    runs.sweep("mine", {"a": {"lr": 1e-3}, "b": {"lr": 1e-2}}, seeds=[0, 1])
    code, _, err = call("figures", "pareto", "mine")
    assert code == 2
    assert "no trial of mine is done: there is nothing to plot yet" in err


def test_kinds_style_and_format_name_the_files(two_levels: Runs, call: Call) -> None:
    code, out, err = call("figures", "mine", "history", "mine", "--format", "svg")
    assert (code, out.split()) == (0, ["results/mine.svg", "results/mine-history.svg"]), err
    again = call("figures", "mine", "--format", "svg")
    assert "mine: unchanged" in again[2]
    other = call("figures", "mine", "--format", "svg", "--style", "slides")
    assert other[1].split() == ["results/mine.svg"]


def test_two_levels_of_one_knob_are_a_curve_whatever_the_name(two_levels: Runs) -> None:
    (axes,) = registry.plot_figure(two_levels.frames(), "mine").axes
    assert (axes.get_xscale(), axes.get_xlabel()) == ("log", "lr")
    seeds = next(line for line in axes.lines if line.get_label() == "one seed")
    assert len(seeds.get_xdata()) == 4


def many_knobs(count: int) -> TrialTable:
    """Return 60 trials whose objective depends on knobs 7 and 42 only."""
    draw = np.random.default_rng(0)
    rows = pd.DataFrame({f"knob_{n}": draw.random(60) for n in range(count)})
    rows["top1"] = rows["knob_7"] + rows["knob_42"] ** 2
    rows.loc[0, "top1"] = np.nan
    return TrialTable(rows, [f"knob_{n}" for n in range(count)], ["top1"], "top1", minimize=False)


def test_of_a_hundred_knobs_the_strongest_are_shown() -> None:
    data = parallel_coordinates(many_knobs(100))
    assert len(data.values) == 59
    assert [axis.knob for axis in strongest_knobs(data, 2)] == ["knob_7", "knob_42"]
    for plot in (plot_slices, plot_parallel_coordinates):
        with style.use_style(style.find_style("paper", "column")):
            figure = plot(data)
            assert text_faults(figure) == []
        assert any("more knobs not shown" in shown.text for shown in shown_texts(figure))


def test_more_cells_than_rows_are_counted_in_the_title(runs: Runs) -> None:
    cells = {f"cell {n}": {"mixup": n / 100, "cutmix": (n % 7) / 10} for n in range(45)}
    runs.done(cells["cell 0"], 0, 95.0)
    runs.sweep("mine", cells, seeds=[0])
    figure = registry.plot_figure(runs.frames(), "mine-forest")
    assert any("4 more cells not shown" in shown.text for shown in shown_texts(figure))
    (axes,) = registry.plot_figure(runs.frames(), "mine").axes  # rows until two cells are done
    assert len(axes.get_yticks()) == 40
    runs.done(cells["cell 1"], 0, 95.0)
    assert len(registry.plot_figure(runs.frames(), "mine").axes) >= 2  # a panel for each knob


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a_b 50% ^", "a_b 50% ^"),  # matplotlib escapes these
        (r"\$a$", r"\textdollar{}a\textdollar{}"),
        ("a & b # {x} ~", r"a \& b \# \{x\} \textasciitilde{}"),
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
    ],
)
def test_marks_of_tex_are_escaped(text: str, escaped: str) -> None:
    assert escape_tex(text) == escaped


@pytest.mark.slow
@pytest.mark.skipif(
    not shutil.which("pdflatex") and "CI" not in os.environ, reason="no LaTeX on this machine"
)
def test_pgf_of_hostile_labels(runs: Runs, tmp_path: Path) -> None:
    cells = {r"$a$ & \input{b_c} # ~ ^ { 5%": {"lr": 1e-3}, "plain": {"mixup": 0.1}}
    for values in cells.values():
        runs.done(values, 0, 95.0)
    runs.sweep("mine", cells, seeds=[0])
    figure = registry.plot_figure(runs.frames(), "mine-levels")
    (path,) = save_figure(figure, tmp_path, "mine", ["pgf"])
    assert r"\textbackslash{}input\{b_c\}" in path.read_text()
