"""The ladder and learning curves: data equal the records, texts are legible."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image
from support.figure_texts import shown_texts, text_faults
from support.trial_factory import RUNGS, SEEDS, Ladder, Runs, ladder_cells, write_ladder

from clip_hparam.analysis.evidence.published import PAPER_LADDER
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.ladder import ladder_panels, plot_ladder
from clip_hparam.analysis.figures.learning_curves import learning_curve, plot_learning_curve
from clip_hparam.analysis.figures.parts.formats import save_figure
from clip_hparam.analysis.figures.parts.rung_panels import accuracy_limits, relative_costs
from clip_hparam.analysis.figures.parts.rungs import NAN, Bar, Panel


def texts(figure: Figure) -> set[str]:
    return {shown.text for shown in shown_texts(figure)}


def test_bars_equal_the_means_of_the_records(ladder: Ladder) -> None:
    panels = ladder_panels(ladder.runs.frames())
    for bar, (rung, values) in zip(panels.ours.bars, ladder.truth.items(), strict=True):
        assert bar.label == rung.replace("_", " ")
        assert bar.acc1 == pytest.approx(np.mean(list(values.values())))
        assert bar.low < bar.acc1 < bar.high
    assert [bar.acc1 for bar in panels.paper.bars] == [row.acc1 for row in PAPER_LADDER]
    assert [bar.cost for bar in panels.paper.bars] == [row.v100_hours for row in PAPER_LADDER]
    assert panels.ours.title == "Ours: encoder tiny on digits"
    assert panels.ours.whiskers == "whiskers: 95 %, 5 seeds"


def test_cost_is_in_gpu_hours_where_a_gpu_was_used(runs: Runs) -> None:
    runs.done({}, 0, 97.0, cost={"seconds": 60.0, "gpu_hours": 0.25})
    runs.sweep("ladder", {"baseline": {}}, seeds=[0])
    ours = ladder_panels(runs.frames()).ours
    assert (ours.cost_unit, ours.bars[0].cost) == ("GPU-hours per run", 0.25)


def lines_of(axes: Axes, marker: str) -> list[Line2D]:
    return [line for line in axes.lines if line.get_marker() == marker]


def test_single_seeds_are_dots(ladder: Ladder) -> None:
    panels = ladder_panels(ladder.runs.frames())
    for bar, values in zip(panels.ours.bars, ladder.truth.values(), strict=True):
        assert bar.seeds == pytest.approx(tuple(values.values()))
    dots = [line for line in plot_ladder(panels).axes[0].lines if len(line.get_xdata()) > 1]
    assert [tuple(line.get_xdata()) for line in dots] == [bar.seeds for bar in panels.ours.bars]


def test_rung_with_missing_runs_has_a_text_instead_of_a_mean(runs: Runs) -> None:
    write_ladder(runs, skip=(("ema", 0), ("llrd", 1), ("llrd", 2)))
    panels = ladder_panels(runs.frames())
    assert [bar.missing for bar in panels.ours.bars[2:4]] == ["4 of 5 runs", "3 of 5 runs"]
    assert math.isnan(panels.ours.bars[2].acc1)
    assert [len(bar.seeds) for bar in panels.ours.bars[1:4]] == [5, 4, 3]
    figure = plot_ladder(panels)
    assert {"4 of 5 runs", "3 of 5 runs"} <= texts(figure)
    means = [line for line in lines_of(figure.axes[0], "o") if len(line.get_xdata()) == 1]
    assert [int(line.get_ydata()[0]) for line in means] == [0, 1, 4, 5, 6]


@pytest.mark.parametrize("values", [[94.7, 98.3], [50.0, 90.0], [97.0, 97.0], [99.9, 99.8]])
def test_axis_holds_means_intervals_and_seeds(values: list[float]) -> None:
    bars = [Bar("", value, value - 0.3, value + 0.3, 1.0, "", (value - 0.5,)) for value in values]
    low, high = accuracy_limits([Panel("", "", bars)])
    assert low < min(values) - 0.5
    assert high > min(max(values) + 0.3, 100.0)
    assert high - low < 1.5 * (max(values) - min(values)) + 2


def test_interval_beyond_0_to_100_percent_is_clipped(runs: Runs) -> None:
    for seed, acc1 in enumerate((55.0, 75.0)):
        runs.done({}, seed, acc1)
    runs.sweep("ladder", {"baseline": {}}, seeds=[0, 1])
    panels = ladder_panels(runs.frames())
    assert panels.ours.bars[0].low < 0
    assert panels.ours.bars[0].high > 100
    figure = plot_ladder(panels)
    assert "65.0" in texts(figure)
    (whiskers,) = figure.axes[0].containers
    (interval,) = whiskers.lines[2]
    assert interval.get_segments()[0][:, 0].tolist() == [0.0, 100.0]


def test_ladder_without_finished_runs_is_plotted(runs: Runs) -> None:
    runs.sweep("ladder", ladder_cells(), seeds=SEEDS)
    assert accuracy_limits([Panel("", "", [Bar("", NAN, NAN, NAN, NAN)])]) == (0.0, 100.0)
    figure = plot_ladder(ladder_panels(runs.frames()))
    assert sum(shown.text == "0 of 5 runs" for shown in shown_texts(figure)) == len(RUNGS)
    assert figure.axes[-1].get_title() == "Cost per run"  # the paper's


@pytest.mark.parametrize("width", [style.COLUMN_INCHES, style.PAGE_INCHES])
def test_texts_do_not_overlap_and_lie_inside_the_figure(ladder: Ladder, width: float) -> None:
    with style.use_style(style.STYLES["paper"]._replace(width=width)):
        figure = plot_ladder(ladder_panels(ladder.runs.frames()))
        assert text_faults(figure) == []


def test_panels_share_rungs_and_have_one_axis_each(ladder: Ladder) -> None:
    figure = plot_ladder(ladder_panels(ladder.runs.frames()))
    ours, paper, cost = figure.axes
    assert [label.get_text() for label in ours.get_yticklabels()] == [
        rung.replace("_", " ") for rung in RUNGS
    ]
    assert ours.get_shared_y_axes().joined(ours, paper)
    assert ours.get_shared_y_axes().joined(ours, cost)
    assert not ours.patches + paper.patches  # points need no axis that starts at 0
    assert len(lines_of(ours, "D")) == 0  # the sources differ by marker, not only by colour
    assert len(lines_of(paper, "D")) == len(PAPER_LADDER)
    assert cost.get_xlim()[0] == 0


def test_costs_are_relative_to_the_first_rung(ladder: Ladder) -> None:
    panels = ladder_panels(ladder.runs.frames())
    ratios = relative_costs(panels.ours)
    first = panels.ours.bars[0].cost
    assert ratios == {bar.label: bar.cost / first for bar in panels.ours.bars}
    cost = plot_ladder(panels).axes[-1]
    drawn = [line.get_xdata()[0] for line in lines_of(cost, "D")]
    assert drawn == pytest.approx([row.v100_hours / 149.4 for row in PAPER_LADDER], rel=0.02)
    unknown = Panel("", "", [Bar("a", 1.0, 1.0, 1.0, NAN), Bar("b", 1.0, 1.0, 1.0, 2.0)])
    assert relative_costs(unknown) == {}


def test_saved_png_and_pdf_are_reproducible(ladder: Ladder, tmp_path: Path) -> None:
    def saved() -> list[bytes]:
        figure = plot_ladder(ladder_panels(ladder.runs.frames()))
        return [path.read_bytes() for path in save_figure(figure, tmp_path, "ladder")]

    assert saved() == saved()
    with Image.open(tmp_path / "ladder.png") as image:
        assert image.width == pytest.approx(300 * style.PAGE_INCHES, abs=1)
    assert (tmp_path / "ladder.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("ema_decay", [0.0, 0.98])
def test_learning_curve_marks_the_selected_epoch(runs: Runs, ema_decay: float) -> None:
    record = runs.done({"ema_decay": ema_decay}, 0, 97.0)
    data = learning_curve(runs.frames(), record.trial_id)
    lines = (record.folder / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert data.raw == [row["selection_acc1.raw"] for row in rows]
    assert data.ema == ([row["selection_acc1.ema"] for row in rows] if ema_decay else [])
    assert data.selected == int(np.argmax(data.chosen))
    assert {"raw", "selected epoch"} <= texts(plot_learning_curve(data))


def test_learning_curve_of_running_trial_has_no_selected_epoch(runs: Runs) -> None:
    record = runs.planned({})
    record.write_rows([{"epoch": 0, "selection_acc1.raw": 50.0}])
    data = learning_curve(runs.frames(), record.trial_id)
    assert data.selected is None
    plot_learning_curve(data)


def test_trial_without_epochs_raises_lookup_error(runs: Runs) -> None:
    record = runs.planned({})
    for trial_id in (record.trial_id, "0" * 12):
        with pytest.raises(LookupError, match="has no epochs on record"):
            learning_curve(runs.frames(), trial_id)
