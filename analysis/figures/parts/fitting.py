"""Make the texts of a figure fit: wrap titles and labels, thin ticks that would overlap.

Widths are measured after a first layout, so they hold for each style, width and font.
"""

import itertools
import textwrap

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from clip_hparam.analysis.figures import style

MIN_GAP_POINTS = 3.0  # between neighbouring tick labels


def fit_texts(figure: Figure, axes_height: float | None = None) -> Figure:
    """Wrap titles and axis labels and thin the ticks of all axes; return the figure.

    axes_height: of each row of axes, in inches of a paper; the figure gets as high as they need.
    """
    with style.house_style():
        figure.draw_without_rendering()
        drawn = [axes for axes in figure.axes if axes.axison]
        for axes in drawn:
            width = _free_width(axes, drawn)
            _wrap_text(axes.title, width, axis=0)
            _wrap_text(axes.xaxis.label, width, axis=0)
            _thin_ticks(axes.xaxis, 0)
        if axes_height is not None and drawn:
            _set_axes_height(figure, drawn[0], axes_height)
        for axes in drawn:
            _wrap_text(axes.yaxis.label, axes.bbox.height, axis=1)
            _thin_ticks(axes.yaxis, 1)
    return figure


def _free_width(axes: Axes, others: list[Axes]) -> float:
    """Return how wide a text centred on the axes can be, in pixels, up to half the gaps beside."""
    figure = axes.get_figure()
    assert figure is not None
    box, middle = axes.bbox, (axes.bbox.x0 + axes.bbox.x1) / 2
    beside = [other.bbox for other in others if other.bbox.y0 < box.y1 and box.y0 < other.bbox.y1]
    right = [(box.x1 + other.x0) / 2 for other in beside if other.x0 >= box.x1]
    left = [(box.x0 + other.x1) / 2 for other in beside if other.x1 <= box.x0]
    gap = style.points(MIN_GAP_POINTS) * figure.dpi / 72
    ends = min([*right, figure.bbox.x1]) - middle, middle - max([*left, figure.bbox.x0])
    return 2 * min(ends) - gap


def _set_axes_height(figure: Figure, axes: Axes, height: float) -> None:
    """Change the height of the figure such that each row of axes has this height."""
    rows = axes.get_gridspec().nrows if axes.get_gridspec() else 1
    for _ in range(2):  # the layout gives a part of each change to the gaps
        figure.draw_without_rendering()
        missing = style.points(height) - axes.bbox.height / figure.dpi
        figure.set_figheight(figure.get_figheight() + rows * missing)
    figure.draw_without_rendering()


def _wrap_text(text: Text, length: float, axis: int) -> None:
    """Break a text into lines that are at most `length` pixels long, along the x or y axis."""
    whole = text.get_text()
    characters = max(map(len, whole.split("\n")))
    while whole and _extent(text, axis) > length and characters > 1:
        characters -= 1
        lines = whole.split("\n")
        wrapped = [textwrap.wrap(line, characters, break_long_words=False) for line in lines]
        text.set_text("\n".join(itertools.chain(*wrapped)))
        if max(map(len, text.get_text().split("\n"))) > characters:  # a single long word
            return


def _extent(text: Text, axis: int) -> float:
    box = text.get_window_extent()
    return float(box.width if axis == 0 else box.height)


def _thin_ticks(axis: Axis, direction: int) -> None:
    """Reduce the number of ticks until neighbouring labels do not overlap."""
    for count in (6, 5, 4, 3, 2):
        if not _overlap(axis, direction):
            return
        locator = axis.get_major_locator()
        if isinstance(locator, MaxNLocator):
            locator.set_params(nbins=count)
        elif isinstance(locator, (FixedLocator, NullLocator)):
            return
        axis.get_figure().draw_without_rendering()


def _overlap(axis: Axis, direction: int) -> bool:
    """Return whether two neighbouring tick labels are closer than the least gap."""
    low, high = sorted(axis.get_view_interval())
    boxes = [
        label.get_window_extent()
        for label in axis.get_ticklabels()
        if label.get_text() and low <= label.get_position()[direction] <= high
    ]
    ends = sorted((box.min[direction], box.max[direction]) for box in boxes)
    gap = style.points(MIN_GAP_POINTS) * axis.get_figure().dpi / 72 if direction == 0 else 0.0
    return any(one[1] + gap > other[0] for one, other in itertools.pairwise(ends))
