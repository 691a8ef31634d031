"""Figures of sweeps whose cells have long labels: nothing is cut off, and the axes stay wide."""

import numpy as np
import pytest
from support.figure_texts import text_faults

from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.forest_plot import ForestPlot, ForestRow, plot_forest
from clip_hparam.analysis.figures.heatmap import BEST_LABEL, CLOSE_LABEL, KnobHeatmap, plot_heatmap

CELL = "random_erasing=0.{},label_smoothing=0.{}"


def forest(first: str, labels: list[str]) -> ForestPlot:
    rows = [ForestRow(label, 1.0, -0.5, 2.5, "", (0.5, 1.0, 1.5)) for label in labels]
    return ForestPlot(
        "Sweep", f"test accuracy minus that of {first}, points", rows, "95 %, 3 seeds"
    )


def test_labels_of_two_knobs_leave_half_of_the_width_to_the_axes() -> None:
    figure = plot_forest(forest(CELL.format(0, 0), [CELL.format(0, 1), CELL.format(5, 0)]))
    assert text_faults(figure) == []
    assert figure.axes[0].bbox.width > 0.5 * figure.bbox.width
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names[0] == "random_erasing=0.0,\nlabel_smoothing=0.1"


@pytest.mark.parametrize("width", [style.COLUMN_INCHES, style.PAGE_INCHES])
def test_axis_label_with_a_long_word_stays_in_the_figure(width: float) -> None:
    word = "a_name_of_a_cell_without_any_separator_in_it"
    figure = plot_forest(forest(word, [word.replace("a_", "b_")]))
    box = figure.axes[0].xaxis.label.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1 + 1


def test_legend_of_a_heatmap_names_the_best_cell_first() -> None:
    data = KnobHeatmap(
        "Sweep", "lr", "epochs", "test accuracy, %", ["1", "2"], ["3", "4"],
        np.array([[80.0, 81.0], [82.0, 83.0]]), [["80", "81"], ["82", "83"]],
        (1, 1), [[False, True], [True, False]],
    )  # fmt: skip
    (legend,) = plot_heatmap(data).legends
    assert [text.get_text() for text in legend.get_texts()] == [BEST_LABEL, CLOSE_LABEL]
