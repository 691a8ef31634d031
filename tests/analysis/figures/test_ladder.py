"""Figures: first what is to be drawn, against the records; then that the ink is legible."""

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


def texts(drawn: Figure) -> list[tuple[str, Bbox]]:
    """Every visible text with where it is, in pixels."""
    drawn.draw_without_rendering()
    found = [text for text in drawn.findobj(Text) if text.get_text() and text.get_visible()]
    return [(text.get_text(), text.get_window_extent()) for text in found]


def test_the_bars_are_the_records(ladder: Ladder) -> None:
    figure = ladder_panels(ladder.runs.frames())
    for bar, (rung, values) in zip(figure.ours.bars, ladder.truth.items(), strict=True):
        assert bar.label == rung.replace("_", " ")
        assert bar.acc1 == pytest.approx(np.mean(list(values.values())))
        assert bar.low < bar.acc1 < bar.high
    assert [bar.acc1 for bar in figure.paper.bars] == [row.acc1 for row in PAPER_LADDER]
    assert [bar.cost for bar in figure.paper.bars] == [row.v100_hours for row in PAPER_LADDER]
    assert figure.ours.title == "Ours: encoder tiny on digits"
    assert figure.ours.whiskers == "whiskers: 95 %, 5 seeds"


def test_the_unit_of_cost_follows_the_machine(runs: Runs) -> None:
    runs.done({}, 0, 97.0, cost={"seconds": 60.0, "gpu_hours": 0.25})
    runs.sweep("ladder", {"baseline": {}}, seeds=[0])
    ours = ladder_panels(runs.frames()).ours
    assert (ours.cost_unit, ours.bars[0].cost) == ("GPU-hours per run", 0.25)


def test_a_missing_rung_has_no_bar_and_says_so(runs: Runs) -> None:
    write_ladder(runs, skip=(("ema", 0), ("llrd", 1), ("llrd", 2)))
    figure = ladder_panels(runs.frames())
    assert [bar.missing for bar in figure.ours.bars[2:4]] == ["4 of 5 runs", "3 of 5 runs"]
    assert math.isnan(figure.ours.bars[2].acc1)
    drawn = plot_ladder(figure)
    assert {"4 of 5 runs", "3 of 5 runs"} <= {text for text, _ in texts(drawn)}
    assert len(drawn.axes[0].patches) == len(RUNGS) - 2


@pytest.mark.parametrize("values", [[94.7, 98.3], [50.0, 90.0], [97.0, 97.0], [99.9, 99.8]])
def test_bars_end_above_the_costs_and_below_the_edge(values: list[float]) -> None:
    bottom, top = accuracy_limits(Bar("", value, value - 0.1, value + 0.1, 1.0) for value in values)
    for value in (min(values) - 0.1, max(values) + 0.1):
        share = (value - bottom) / (top - bottom)
        assert BARS_BOTTOM_SHARE - 1e-9 <= share <= BARS_TOP_SHARE + 1e-9
    assert COST_TOP_SHARE < BARS_BOTTOM_SHARE


def test_an_interval_wider_than_all_accuracies_is_drawn_inside_them(runs: Runs) -> None:
    for seed, acc1 in enumerate((55.0, 75.0)):
        runs.done({}, seed, acc1)
    runs.sweep("ladder", {"baseline": {}}, seeds=[0, 1])
    figure = ladder_panels(runs.frames())
    assert figure.ours.bars[0].low < 0
    assert figure.ours.bars[0].high > 100
    assert accuracy_limits(figure.ours.bars) == (0.0, 100.0 / BARS_TOP_SHARE)
    drawn = plot_ladder(figure)
    assert "65.0" in {text for text, _ in texts(drawn)}
    assert "starts at" not in drawn.axes[0].get_ylabel()


def test_nothing_done_is_still_a_figure(runs: Runs) -> None:
    runs.sweep("ladder", ladder_cells(), seeds=SEEDS)
    assert accuracy_limits([Bar("", NAN, NAN, NAN, NAN)]) == (0.0, 100.0)
    drawn = plot_ladder(ladder_panels(runs.frames()))
    assert sum(text == "0 of 5 runs" for text, _ in texts(drawn)) == len(RUNGS)


def test_numbers_and_titles_do_not_overlap_and_nothing_is_cut(ladder: Ladder) -> None:
    drawn = plot_ladder(ladder_panels(ladder.runs.frames()))
    upright = [(text, box) for text, box in texts(drawn) if text not in RUNGS and " " not in text]
    for (one, box), (other, another) in itertools.combinations(upright, 2):
        assert Bbox.intersection(box, another) is None, f"{one} overlaps {other}"
    for text, box in texts(drawn):
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= drawn.bbox.x1, text
        assert box.y1 <= drawn.bbox.y1, text


def test_panels_differ_without_colour_and_the_axis_says_it_is_zoomed(ladder: Ladder) -> None:
    drawn = plot_ladder(ladder_panels(ladder.runs.frames()))
    ours, paper = drawn.axes[:2]
    assert ours.patches[0].get_hatch() != paper.patches[0].get_hatch()
    for axes in (ours, paper):
        low, high = axes.get_ylim()
        assert f"starts at {low:.1f}" in axes.get_ylabel()
        assert min(axes.get_yticks()) > low + 0.05 * (high - low)  # the break has no tick
    for costs in drawn.axes[2:]:
        assert costs.get_ylim()[0] == 0


def test_it_is_saved_as_pixels_and_as_vectors_and_again_the_same(
    ladder: Ladder, tmp_path: Path
) -> None:
    def saved() -> list[bytes]:
        drawn = plot_ladder(ladder_panels(ladder.runs.frames()))
        return [path.read_bytes() for path in style.save_figure(drawn, tmp_path, "ladder")]

    assert saved() == saved()
    with Image.open(tmp_path / "ladder.png") as image:
        assert image.width == pytest.approx(300 * style.PAGE_INCHES, abs=1)
    assert (tmp_path / "ladder.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("ema_decay", [0.0, 0.98])
def test_a_curve_marks_the_epoch_that_was_selected(runs: Runs, ema_decay: float) -> None:
    record = runs.done({"ema_decay": ema_decay}, 0, 97.0)
    data = learning_curve(runs.frames(), record.trial_id)
    lines = (record.folder / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert data.raw == [row["selection_acc1.raw"] for row in rows]
    assert data.ema == ([row["selection_acc1.ema"] for row in rows] if ema_decay else [])
    assert data.selected == int(np.argmax(data.chosen))
    assert {"raw", "selected epoch"} <= {text for text, _ in texts(plot_learning_curve(data))}


def test_a_curve_of_a_running_trial_has_no_selected_epoch(runs: Runs) -> None:
    record = runs.planned({})
    record.write_rows([{"epoch": 0, "selection_acc1.raw": 50.0}])
    data = learning_curve(runs.frames(), record.trial_id)
    assert data.selected is None
    plot_learning_curve(data)


def test_a_trial_without_epochs_is_a_sentence(runs: Runs) -> None:
    record = runs.planned({})
    for trial_id in (record.trial_id, "0" * 12):
        with pytest.raises(LookupError, match="has no epochs on record"):
            learning_curve(runs.frames(), trial_id)
