"""Figures of one and two knobs, of effects, of epochs and of the published logs.

Tests compare the data of each figure with numbers computed from the records, then plot it.
"""

import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text
from scipy import stats as scipy_stats
from support.figure_texts import text_faults
from support.trial_factory import IMAGES, Ladder, Runs, bits

from clip_hparam.analysis.evidence.ablations import ABLATIONS, ablation_for_sweep
from clip_hparam.analysis.evidence.replicates import NotSweptError
from clip_hparam.analysis.figures import registry
from clip_hparam.analysis.figures.forest_plot import cell_forest
from clip_hparam.analysis.figures.heatmap import knob_heatmap
from clip_hparam.analysis.figures.knob_curve import knob_curve
from clip_hparam.analysis.figures.learning_curves import cell_curves
from clip_hparam.analysis.figures.parts.knob_scale import axis_scale
from clip_hparam.analysis.figures.published_logs import plot_published_logs, published_log_panels
from clip_hparam.analysis.figures.search_payoff import COST_COLUMN, cost_front, plot_cost_front
from clip_hparam.analysis.figures.slice_parallel import (
    parallel_coordinates,
    plot_parallel_coordinates,
    thin_ticks,
)
from clip_hparam.analysis.frames.frame import of_family, sampled_sweeps
from clip_hparam.analysis.frames.trial_table import TrialTable
from clip_hparam.analysis.stats.binomial import wilson_interval
from clip_hparam.records.record import Record

NOISE = (0.3, -0.2, 0.1)


def swept(runs: Runs, name: str, values: dict[float, float], knob: str) -> None:
    """Write a one-knob sweep over three seeds; `values` maps each level to its mean accuracy."""
    cells = {f"{knob}={level}": {knob: level} for level in values}
    for level, mean in values.items():
        for seed, noise in enumerate(NOISE):
            runs.done({knob: level}, seed, mean + noise)
    runs.sweep(name, cells, seeds=range(3))


def inside(figure: Figure) -> bool:
    """Return whether everything, with legend and tick labels, lies on the page."""
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    return bool(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height)


def test_knob_curve_equals_the_records_sorted_by_level(runs: Runs) -> None:
    means = {1e-2: 90.0, 1e-4: 95.0, 1e-3: 97.0}
    swept(runs, "lr", means, "lr")
    curve = knob_curve(runs.frames(), ABLATIONS["lr"])
    assert [level.value for level in curve.levels] == sorted(means)
    for level in curve.levels:
        sample = np.array(NOISE) + means[level.value]
        theirs = scipy_stats.ttest_1samp(sample, 0).confidence_interval(0.95)
        assert (level.low, level.high) == pytest.approx((theirs.low, theirs.high))
        share = scipy_stats.binomtest(round(level.mean * 100), 10_000)
        wilson = share.proportion_ci(method="wilson")
        assert wilson_interval(level.mean, 10_000)[0] == pytest.approx(100 * wilson.low, abs=5e-3)
        assert (level.image_low, level.image_high) == wilson_interval(level.mean, IMAGES)
    assert (curve.scale, curve.images) == ("log", IMAGES)


def test_wilson_interval_at_85_percent_of_50000_images() -> None:
    low, high = wilson_interval(85.0, 50_000)
    assert (85 - low, high - 85) == pytest.approx((0.31, 0.31), abs=7e-3)
    assert wilson_interval(100.0, 100)[1] == pytest.approx(100.0)
    assert wilson_interval(100.0, 100)[0] < 97


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([1e-4, 3e-4, 1e-3], "log"),
        ([2, 5, 10, 20, 40], "log"),
        ([16, 24, 32, 48], "linear"),
        ([0.0, 0.05, 0.1, 0.2], "linear"),
        ([0.0, 0.8, 0.9, 0.95, 0.96, 0.98, 0.99], "levels"),
        ([math.nan, 1.0], "levels"),
        ([3.0], "levels"),
    ],
)
def test_axis_scale_of_values(values: list[float], scale: str) -> None:
    assert axis_scale(values) == scale


@pytest.mark.parametrize(
    ("knob", "values", "scale"),
    [
        ("lr", [1e-3, 2e-3, 4e-3], "log"),  # declared, though not over a decade
        ("batch_size", [16, 32, 64], "log"),
        ("drop_path", [0.02, 0.1, 0.2, 0.3], "linear"),  # declared, though over a decade
        ("mixup", [0.05, 0.4, 0.8], "linear"),
        ("weight_decay", [0.0, 0.05, 0.1], "linear"),  # 0 has no logarithm
        ("theirs", [0.02, 0.1, 0.2], "log"),
    ],
)
def test_axis_has_the_scale_that_the_knob_declares(
    knob: str, values: list[float], scale: str
) -> None:
    assert axis_scale(values, knob) == scale


def test_level_with_missing_run_is_labelled_and_has_no_point(runs: Runs) -> None:
    swept(runs, "lr", {1e-4: 95.0, 1e-3: 97.0, 1e-2: 90.0}, "lr")
    (runs.done({"lr": 1e-3}, 1, 97.0).folder / "result.json").unlink()
    curve = knob_curve(runs.frames(), ABLATIONS["lr"])
    assert [level.missing for level in curve.levels] == ["", "2 of 3 runs", ""]
    assert math.isnan(curve.levels[1].mean)
    assert math.isnan(curve.levels[1].image_low)
    figure = registry.plot_figure(runs.frames(), "lr")
    assert any("2 of 3 runs" in text.get_text() for text in figure.findobj(Text))
    (line,) = [line for line in figure.axes[0].lines if line.get_label() == "mean"]
    assert list(line.get_xdata()) == [1e-4, 1e-2]


def test_knob_curve_without_correct_npz_has_no_test_set_error(runs: Runs) -> None:
    swept(runs, "drop_path", {0.0: 95.0, 0.1: 96.0}, "drop_path")
    other = runs.done({"drop_path": 0.1}, 0, 96.0)
    np.savez(other.folder / "correct.npz", **{**bits(96.0, 0, False), "n": 800})
    runs.done({"drop_path": 0.1}, 0, 96.0)  # sealed again: 1,597 images
    curve = knob_curve(runs.frames(), ABLATIONS["drop_path"])
    assert curve.images == IMAGES
    for path in runs.folder.glob("*/correct.npz"):
        path.unlink()
    gone = knob_curve(runs.frames(), ABLATIONS["drop_path"])
    assert gone.images is None


def test_heatmap_shows_means_and_frames_the_pair_with_best_selection_accuracy(runs: Runs) -> None:
    means = {
        (lr, decay): 97 - abs(lr - 3e-3) * 500 - decay
        for lr in (1e-3, 3e-3)
        for decay in (0.5, 1.0)
    }
    cells: dict[str, dict[str, Any]] = {}
    written: dict[tuple[float, float, int], Record] = {}
    for (lr, decay), mean in reversed(means.items()):
        values = {"lr": lr, "layer_decay": decay}
        cells[f"{lr},{decay}"] = values
        for seed, noise in enumerate(NOISE[: 3 if (lr, decay) != (1e-3, 1.0) else 2]):
            written[lr, decay, seed] = runs.done(values, seed, mean + noise)
    runs.sweep("lr_x_layer_decay", cells, seeds=range(3))
    data = knob_heatmap(runs.frames(), ABLATIONS["lr_x_layer_decay"])
    assert (data.x_levels, data.y_levels) == (["0.001", "0.003"], ["0.5", "1"])
    assert data.best == (0, 1)
    assert data.text[1][0] == "2 of 3"
    assert math.isnan(data.mean[1, 0])
    for row, decay in enumerate((0.5, 1.0)):
        expected = means[3e-3, decay] + np.mean(NOISE)
        assert data.mean[row, 1] == pytest.approx(expected)
        assert data.text[row][1] == f"{expected:.1f}"

    for seed in range(3):
        record = written[1e-3, 0.5, seed]
        result = record.result() or {}
        result["metrics"]["selection_acc1.raw.selected"] = 99.0
        record.write_result(result)
    again = knob_heatmap(runs.frames(), ABLATIONS["lr_x_layer_decay"])
    assert again.best == (0, 0)
    assert again.text == data.text


def test_forest_rows_are_paired_differences_to_the_first_cell(runs: Runs) -> None:
    gains = {"full": 0.0, "no ema": -1.0, "no llrd": 0.05}
    cells = {"full": {}, "no ema": {"mixup": 0.1}, "no llrd": {"mixup": 0.2}}
    wobble = {"full": (0.0, 0.0, 0.0), "no ema": (0.1, -0.1, 0.05), "no llrd": (0.2, -0.3, 0.1)}
    for name, values in cells.items():
        for seed in range(3):
            runs.done(values, seed, 97 + 2 * NOISE[seed] + gains[name] + wobble[name][seed])
    runs.sweep("leave_one_out", cells, seeds=range(3))
    effects = cell_forest(runs.frames(), ABLATIONS["leave_one_out"]).effects
    assert [effect.label for effect in effects] == ["no ema", "no llrd"]
    for effect in effects:
        sample = np.array(wobble[effect.label]) + gains[effect.label]
        theirs = scipy_stats.ttest_1samp(sample, 0).confidence_interval(0.95)
        values = (effect.mean, effect.low, effect.high)
        assert values == pytest.approx((sample.mean(), theirs.low, theirs.high), abs=1e-6)
    figure = registry.plot_figure(runs.frames(), "leave_one_out")
    fills = [
        line.get_markerfacecolor()
        for line in figure.axes[0].lines
        if line.get_marker() == "o" and len(line.get_xdata()) == 1  # the others are seeds
    ]
    assert (fills[0] != "white", fills[1]) == (True, "white")


def test_cell_curves_hold_all_epochs_and_the_selected_epoch(ladder: Ladder) -> None:
    frames = ladder.runs.frames()
    cells = cell_curves(frames, ABLATIONS["ladder"])
    sweep = json.loads(next((ladder.runs.folder / ".sweeps").glob("*.json")).read_text())
    for (label, curves), cell in zip(cells.panels, sweep["cells"], strict=True):
        assert label == cell["label"]
        for curve, trial_id in zip(curves, cell["trials"].values(), strict=True):
            lines = (ladder.runs.folder / trial_id / "metrics.jsonl").read_text().splitlines()
            rows = [json.loads(line) for line in lines]
            assert curve.raw == [row["selection_acc1.raw"] for row in rows]
            assert curve.selected == int(np.argmax(curve.chosen))


def test_cell_without_recorded_epochs_is_an_empty_panel(runs: Runs) -> None:
    runs.sweep("ladder", {"baseline": {}, "lower_lr": {"lr": 1e-3}})
    runs.planned({})
    assert [curves for _, curves in cell_curves(runs.frames(), ABLATIONS["ladder"]).panels] == [
        [],
        [],
    ]
    registry.plot_figure(runs.frames(), "curves")


def test_published_logs_mark_best_and_last_epoch(tmp_path: Path) -> None:
    panels = published_log_panels()
    for panel in panels:
        run = panel.run
        assert panel.ema[run.ema_best_epoch] == max(panel.ema) == run.ema_best
        assert (len(panel.raw), panel.raw[-1]) == (run.epochs, run.raw_last)
        assert run.epochs <= panel.planned
    figure = plot_published_logs(panels)
    for axes, panel in zip(figure.axes, panels, strict=True):
        best, last = (
            next(line for line in axes.lines if line.get_label() == name)
            for name in ("best", "last")
        )
        assert list(best.get_ydata()) == [panel.run.raw_best, panel.run.ema_best]
        assert list(last.get_xdata()) == [len(panel.raw)] * 2  # epochs from 1


def test_every_figure_is_plotted_or_its_error_names_the_command(ladder: Ladder) -> None:
    frames = ladder.runs.frames()
    assert registry.default_figures(frames) == ["ladder", "cost", "curves"]
    for name in registry.figure_names(frames):
        if name in (*registry.default_figures(frames), "logs", "published_ladder"):
            assert registry.plot_figure(frames, name).axes
        elif name in registry.SEARCH_FIGURES:
            assert not sampled_sweeps(frames)
        else:
            with pytest.raises(NotSweptError, match=f"sweeps={name}"):
                registry.plot_figure(frames, name)


def test_published_logs_are_plotted_with_a_real_family_alone(ladder: Ladder) -> None:
    frames = ladder.runs.frames()
    assert "logs" not in registry.default_figures(frames)
    assert "logs" in registry.default_figures(of_family(frames, "b16"))


@pytest.mark.parametrize("name", ["lr", "ema", "freeze", "augment", "my_sweep"])
def test_figure_lies_inside_the_page(runs: Runs, name: str) -> None:
    long = {"mixup and cutmix and random erasing": {}, "b": {"lr": 1e-2}, "c": {"lr": 3e-2}}
    knob = (ablation_for_sweep(name).knobs or ("lr",))[0]
    levels = {
        "lr": (1e-4, 3e-4, 1e-3),
        "ema_decay": (0.0, 0.9, 0.99),
        "freeze": ("none", "patch", "first_2"),
    }[knob]
    cells = (
        long
        if not ablation_for_sweep(name).knobs
        else {str(level): {knob: level} for level in levels}
    )
    for values in cells.values():
        for seed in range(2):
            runs.done(values, seed, 97.0 + seed / 10)
    runs.sweep(name, cells, seeds=range(2))
    figure = registry.plot_figure(runs.frames(), name)
    assert inside(figure)


@pytest.mark.parametrize("minimize", [False, True])
def test_cost_front_holds_trials_that_no_cheaper_trial_equals(minimize: bool) -> None:
    draw = np.random.default_rng(0)
    seconds, gain = draw.integers(1, 8, 40).astype(float), draw.integers(0, 20, 40).astype(float)
    gain[5] = math.nan
    rows = pd.DataFrame({COST_COLUMN: seconds, "top1": -gain if minimize else gain})
    front = cost_front(TrialTable(rows, [], ["top1"], "top1", minimize))
    known = [at for at in range(40) if at != 5]
    best_at = {cost: max(gain[at] for at in known if seconds[at] == cost) for cost in seconds}
    expected = [
        (cost, best)
        for cost, best in sorted(best_at.items())
        if all(best > other for cheaper, other in best_at.items() if cheaper < cost)
    ]
    sign = -1 if minimize else 1
    assert [(front.cost[at], sign * front.value[at]) for at in front.front] == expected


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=9, unique=True), st.floats(0.01, 0.5))
def test_thinned_ticks_keep_ends_and_minimum_gap(positions: list[float], share: float) -> None:
    kept = sorted(thin_ticks({position: str(position) for position in positions}, share))
    assert {min(positions), max(positions)} <= set(kept) <= set(positions)
    if len(kept) > 2:
        assert min(np.diff(kept)) >= share * (max(positions) - min(positions)) - 1e-9


def test_long_knob_names_are_written_in_full() -> None:
    knobs = ["label_smoothing", "layer_decay", "drop_path", "random_erasing", "lr", "mixup", "eps"]
    rows = pd.DataFrame(np.random.default_rng(0).random((5, 8)), columns=[*knobs, "top1"])
    table = TrialTable(rows, knobs, ["top1"], "top1", minimize=False)
    figure = plot_parallel_coordinates(parallel_coordinates(table))
    assert inside(figure)
    assert text_faults(figure) == []
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == knobs


def test_labels_of_the_cost_axis_do_not_overlap() -> None:
    rows = pd.DataFrame({COST_COLUMN: np.geomspace(1.7, 25, 9), "top1": np.arange(9.0)})
    figure = plot_cost_front(cost_front(TrialTable(rows, [], ["top1"], "top1", minimize=False)))
    figure.draw_without_rendering()
    axis = figure.axes[0].xaxis
    shown = [label for label in axis.get_ticklabels(which="both") if label.get_text()]
    low, high = figure.axes[0].get_xlim()
    ends = [
        label.get_window_extent().intervalx
        for label in shown
        if low <= label.get_position()[0] <= high
    ]
    assert len(ends) == 4  # 2, 5, 10, 20
    assert all(left[1] < right[0] for left, right in itertools.pairwise(ends))
