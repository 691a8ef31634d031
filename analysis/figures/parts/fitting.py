"""Make the texts of a figure fit: wrap titles and labels, thin ticks that would overlap.

Widths are measured after a first layout, so they hold for each style, width and font.
"""

import itertools
import math
import re
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, MaxNLocator

from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.parts.line_breaks import break_lines
from clip_hparam.config.identity import shorten

ROW_CHARACTERS, LABEL_LIMIT = 22, 44  # characters of a line of a row, and of its name
ROW_INCHES, TWO_LINE_INCHES, LINE_SPACING = 0.27, 0.33, 1.05  # of rows, and within a name
MIN_GAP_POINTS = 3.0  # between neighbouring tick labels
NUMBER = re.compile(r"[-+\N{MINUS SIGN}]?[\d.,]+(e[-+]?\d+)?")


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
            if _extent(axes.xaxis.label, 0) > width:  # a long word: it ends where the axes end
                axes.xaxis.label.set(x=1.0, horizontalalignment="right")
            _thin_ticks(axes.xaxis, 0)
        if axes_height is not None and drawn:
            _set_axes_height(figure, drawn[0], axes_height)
        for axes in drawn:
            _wrap_text(axes.yaxis.label, axes.bbox.height, axis=1)
            _thin_ticks(axes.yaxis, 1)
        figure.draw_without_rendering()  # the layout needs a second pass for the texts as they are
    return figure


def label_rows(axes: Axes, names: Sequence[str], characters: int = ROW_CHARACTERS) -> None:
    """Name rows from the top on a y axis, with long names on two lines of so many characters."""
    texts = ["\n".join(_two_lines(name, characters)) for name in names]
    axes.set_yticks(range(len(texts)), texts, linespacing=LINE_SPACING)
    axes.set_ylim(len(texts) - 0.4, -0.6)


def rows_height(axes: Axes) -> float:
    """Return the height that the named rows of axes need, in inches of a paper."""
    texts = [label.get_text() for label in axes.get_yticklabels()]
    inches = TWO_LINE_INCHES if any("\n" in text for text in texts) else ROW_INCHES
    return inches * max(len(texts), 2)


def _two_lines(name: str, characters: int) -> list[str]:
    if len(name) <= characters or "\n" in name:
        return [name]
    for width in range(characters, LABEL_LIMIT):
        lines = break_lines(name, width, hyphens=False)
        if len(lines) <= 2 and max(map(len, lines)) <= width:
            return lines
    first = break_lines(name, characters, hyphens=False)[0]
    rest = name[len(first) :].lstrip()
    return [first, shorten(rest, characters)] if rest else [first]


def _free_width(axes: Axes, others: list[Axes]) -> float:
    """Return the largest width of a text centred on the axes, in pixels, with half of the gaps."""
    figure = style.root_figure(axes)
    box, middle = axes.bbox, (axes.bbox.x0 + axes.bbox.x1) / 2
    beside = [other.bbox for other in others if other.bbox.y0 < box.y1 and box.y0 < other.bbox.y1]
    right = [(box.x1 + other.x0) / 2 for other in beside if other.x0 >= box.x1]
    left = [(box.x0 + other.x1) / 2 for other in beside if other.x1 <= box.x0]
    gap = style.points(MIN_GAP_POINTS) * figure.dpi / 72
    ends = min([*right, figure.bbox.x1]) - middle, middle - max([*left, figure.bbox.x0])
    return float(2 * min(ends) - gap)


def _set_axes_height(figure: Figure, axes: Axes, height: float) -> None:
    """Change the height of the figure such that each row of axes has this height."""
    grid = axes.get_gridspec()
    rows = grid.nrows if grid else 1
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
        wrapped = [break_lines(line, characters) for line in lines]
        text.set_text("\n".join(itertools.chain(*wrapped)))
        if max(map(len, text.get_text().split("\n"))) > characters:  # a single long word
            return


def _extent(text: Text, axis: int) -> float:
    box = text.get_window_extent()
    return float(box.width if axis == 0 else box.height)


def _thin_ticks(axis: Axis, direction: int) -> None:
    """Reduce the number of ticks until neighbouring labels do not overlap.

    Names on an x axis are turned upright instead.
    """
    figure = style.root_figure(axis)
    for count in (6, 5, 4, 3, 2):
        if not _overlap(axis, direction):
            return
        locator = axis.get_major_locator()
        if isinstance(locator, MaxNLocator):
            locator.set_params(nbins=count)
        elif isinstance(locator, FixedLocator) and direction == 0 and not _has_numbers(axis):
            axis.set_tick_params(rotation=90)
            figure.draw_without_rendering()
            _drop_labels(axis, direction)
        elif isinstance(locator, FixedLocator):
            _drop_labels(axis, direction)
        else:
            return
        figure.draw_without_rendering()


def _has_numbers(axis: Axis) -> bool:
    """Return whether all tick labels are numbers, apart from further lines."""
    texts = [label.get_text() for label in axis.get_ticklabels()]
    return all(NUMBER.fullmatch(text.partition("\n")[0]) for text in texts)


def _drop_labels(axis: Axis, direction: int) -> None:
    """Remove the text of each fixed tick that would overlap the one before or the last one."""
    labels = [label for label in axis.get_ticklabels() if label.get_text()]
    labels.sort(key=lambda label: label.get_window_extent().min[direction])
    spans = [_span(label, axis, direction) for label in labels]
    kept, end = [], -math.inf
    for number, (low, high) in enumerate(spans):
        last = number == len(spans) - 1
        if low >= end and (last or high <= spans[-1][0]):
            kept.append(labels[number])
            end = high
    texts = {label.get_position()[direction]: label.get_text() for label in kept}
    axis.set_ticks(list(texts), list(texts.values()))


def _span(label: Text, axis: Axis, direction: int) -> tuple[float, float]:
    """Return the ends of a label along its axis in pixels, with the gap to its neighbour."""
    figure = style.root_figure(axis)
    box = label.get_window_extent()
    gap = style.points(MIN_GAP_POINTS) * figure.dpi / 72 if direction == 0 else 0.0
    return float(box.min[direction]), float(box.max[direction]) + gap


def _overlap(axis: Axis, direction: int) -> bool:
    """Return whether two neighbouring tick labels are closer than the least gap."""
    low, high = sorted(axis.get_view_interval())
    spans = sorted(
        _span(label, axis, direction)
        for label in axis.get_ticklabels()
        if label.get_text() and low <= label.get_position()[direction] <= high
    )
    return any(one[1] > other[0] for one, other in itertools.pairwise(spans))
