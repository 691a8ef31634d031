"""The ladder and learning curves: data equal the records, texts are legible."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image
from support.trial_factory import RUNGS, SEEDS, Ladder, Runs, ladder_cells, write_ladder

from clip_hparam.analysis.evidence.published import PAPER_LADDER
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.ladder import (
    BARS_BOTTOM_SHARE,
    BARS_TOP_SHARE,
    COST_TOP_SHARE,
    NAN,
    Bar,
    accuracy_limits,
    ladder_panels,
    plot_ladder,
)
from clip_hparam.analysis.figures.learning_curves import learning_curve, plot_learning_curve


def texts(figure: Figure) -> list[tuple[str, Bbox]]:
    """Return every visible text with its box in pixels."""
    figure.draw_without_rendering()
    visible = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    return [(text.get_text(), text.get_window_extent()) for text in visible]


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


def test_rung_with_missing_runs_has_a_text_instead_of_a_bar(runs: Runs) -> None:
    write_ladder(runs, skip=(("ema", 0), ("llrd", 1), ("llrd", 2)))
    panels = ladder_panels(runs.frames())
    assert [bar.missing for bar in panels.ours.bars[2:4]] == ["4 of 5 runs", "3 of 5 runs"]
    assert math.isnan(panels.ours.bars[2].acc1)
    figure = plot_ladder(panels)
    assert {"4 of 5 runs", "3 of 5 runs"} <= {text for text, _ in texts(figure)}
    assert len(figure.axes[0].patches) == len(RUNGS) - 2


@pytest.mark.parametrize("values", [[94.7, 98.3], [50.0, 90.0], [97.0, 97.0], [99.9, 99.8]])
def test_bars_end_between_costs_and_upper_edge(values: list[float]) -> None:
    bottom, top = accuracy_limits(Bar("", value, value - 0.1, value + 0.1, 1.0) for value in values)
    for value in (min(values) - 0.1, max(values) + 0.1):
        share = (value - bottom) / (top - bottom)
        assert BARS_BOTTOM_SHARE - 1e-9 <= share <= BARS_TOP_SHARE + 1e-9
    assert COST_TOP_SHARE < BARS_BOTTOM_SHARE


def test_interval_beyond_0_to_100_percent_is_clipped(runs: Runs) -> None:
    for seed, acc1 in enumerate((55.0, 75.0)):
        runs.done({}, seed, acc1)
    runs.sweep("ladder", {"baseline": {}}, seeds=[0, 1])
    panels = ladder_panels(runs.frames())
    assert panels.ours.bars[0].low < 0
    assert panels.ours.bars[0].high > 100
    assert accuracy_limits(panels.ours.bars) == (0.0, 100.0 / BARS_TOP_SHARE)
    figure = plot_ladder(panels)
    assert "65.0" in {text for text, _ in texts(figure)}
    assert "starts at" not in figure.axes[0].get_ylabel()


def test_ladder_without_finished_runs_is_plotted(runs: Runs) -> None:
    runs.sweep("ladder", ladder_cells(), seeds=SEEDS)
    assert accuracy_limits([Bar("", NAN, NAN, NAN, NAN)]) == (0.0, 100.0)
    figure = plot_ladder(ladder_panels(runs.frames()))
    assert sum(text == "0 of 5 runs" for text, _ in texts(figure)) == len(RUNGS)


def test_texts_do_not_overlap_and_lie_inside_the_figure(ladder: Ladder) -> None:
    figure = plot_ladder(ladder_panels(ladder.runs.frames()))
    upright = [(text, box) for text, box in texts(figure) if text not in RUNGS and " " not in text]
    for (one, box), (other, another) in itertools.combinations(upright, 2):
        assert Bbox.intersection(box, another) is None, f"{one} overlaps {other}"
    for text, box in texts(figure):
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= figure.bbox.x1, text
        assert box.y1 <= figure.bbox.y1, text


def test_panels_differ_by_hatch_and_state_where_the_axis_starts(ladder: Ladder) -> None:
    figure = plot_ladder(ladder_panels(ladder.runs.frames()))
    ours, paper = figure.axes[:2]
    assert ours.patches[0].get_hatch() != paper.patches[0].get_hatch()
    for axes in (ours, paper):
        low, high = axes.get_ylim()
        assert f"starts at {low:.1f}" in axes.get_ylabel()
        assert min(axes.get_yticks()) > low + 0.05 * (high - low)  # the break has no tick
    for costs in figure.axes[2:]:
        assert costs.get_ylim()[0] == 0


def test_saved_png_and_pdf_are_reproducible(ladder: Ladder, tmp_path: Path) -> None:
    def saved() -> list[bytes]:
        figure = plot_ladder(ladder_panels(ladder.runs.frames()))
        return [path.read_bytes() for path in style.save_figure(figure, tmp_path, "ladder")]

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
    assert {"raw", "selected epoch"} <= {text for text, _ in texts(plot_learning_curve(data))}


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
