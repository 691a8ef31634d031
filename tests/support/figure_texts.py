"""The texts that a figure shows, with their boxes, and faults of legibility among them."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from clip_hparam.analysis.figures import style

SLACK_PIXELS = 1.0  # by which boxes may touch: a box is larger than its ink


class ShownText(NamedTuple):
    text: str
    box: Bbox  # in pixels


def shown_texts(figure: Figure) -> list[ShownText]:
    """Draw the figure and return every text that is visible and inside the limits of its axes."""
    with style.house_style():
        figure.draw_without_rendering()
        hidden = {id(text) for axes in figure.axes for text in _hidden_tick_labels(axes)}
        return [
            ShownText(text.get_text(), text.get_window_extent())
            for text in figure.findobj(Text)
            if text.get_text().strip() and text.get_visible() and id(text) not in hidden
        ]


def text_faults(figure: Figure) -> list[str]:
    """Return a sentence for each pair of texts that overlap and each text that is cut off."""
    shown = shown_texts(figure)
    faults = [
        f"{one.text!r} overlaps {other.text!r}"
        for one, other in itertools.combinations(shown, 2)
        if _overlap(one.box, other.box)
    ]
    page = figure.bbox.padded(SLACK_PIXELS)
    cut = [
        f"{text.text!r} is cut off by the edge of the figure"
        for text in shown
        if not (page.contains(*text.box.p0) and page.contains(*text.box.p1))
    ]
    return faults + cut


def _overlap(one: Bbox, other: Bbox) -> bool:
    common = Bbox.intersection(one, other)
    return common is not None and min(common.width, common.height) > SLACK_PIXELS


def _hidden_tick_labels(axes: Axes) -> Iterator[Text]:
    """Yield tick labels that are not drawn: those outside the limits, and of hidden axes."""
    for number, axis in enumerate((axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        slack = 1e-9 * (high - low)
        for label in axis.get_ticklabels(which="both"):
            outside = not low - slack <= label.get_position()[number] <= high + slack
            if outside or not axes.axison:
                yield label
    if not axes.axison:
        yield from (axes.xaxis.label, axes.yaxis.label)
