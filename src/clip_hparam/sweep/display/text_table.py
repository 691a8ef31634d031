"""Text tables for a terminal; labels break after separators and never inside a word."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

PIECE = re.compile(r"[^\s,+]+ \*$|[^\s,+]*(?:[,+]+|\s+)|[^\s,+]+")  # a mark "*" stays with its word
GAP = "  "
TITLE_LINES = 2
SHORT_TITLE = 6
"""Heads of columns of up to this many characters, such as "to do", are never two lines."""


class Column(NamedTuple):
    """A column; `wraps`: whether its texts may take several lines."""

    title: str
    right: bool = False
    wraps: bool = False


Row = Sequence[str]


def wrap_label(text: str, width: int) -> list[str]:
    """Return the lines of a label: breaks are after a comma, a plus sign or a space.

    A piece without any of them is one line, also where it is wider than `width`.
    """
    lines = [""]
    for piece in PIECE.findall(text):
        if lines[-1] and cell_len((lines[-1] + piece).rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def print_table(
    console: Console, columns: Sequence[Column], rows: Sequence[Row], bold: Collection[int] = ()
) -> None:
    """Print a table that fits the console, unless the pieces of its labels are too wide.

    bold: numbers of the rows in bold; the heads of the columns are row -1.
    """
    for number, line in table_lines(columns, rows, console.width):
        style = "bold" if number == -1 or number in bold else ""
        console.print(Text(line, style), soft_wrap=True, highlight=False)


def table_lines(
    columns: Sequence[Column], rows: Sequence[Row], width: int
) -> Iterator[tuple[int, str]]:
    """Yield the lines of a table, each with the number of its row; -1 is the heads, -2 a rule.

    Columns that are empty in all rows are left out.
    """
    kept = [n for n, _ in enumerate(columns) if not rows or any(row[n] for row in rows)]
    columns = [columns[n] for n in kept]
    rows = [[row[n] for n in kept] for row in rows]
    widths = _fitted_widths(columns, rows, width)
    heads = [wrap_label(c.title, limit) for c, limit in zip(columns, widths, strict=True)]
    for line in _joined(heads, columns, widths):
        yield -1, line
    yield -2, GAP.join("\N{BOX DRAWINGS LIGHT HORIZONTAL}" * limit for limit in widths)
    for number, row in enumerate(rows):
        cells = [
            wrap_label(text, limit) if column.wraps else [text]
            for text, column, limit in zip(row, columns, widths, strict=True)
        ]
        for line in _joined(cells, columns, widths):
            yield number, line


def _joined(
    cells: Sequence[Sequence[str]], columns: Sequence[Column], widths: Sequence[int]
) -> Iterator[str]:
    """Yield the lines of a row whose cells have several lines."""
    for level in range(max(map(len, cells), default=0)):
        parts = []
        for lines, column, width in zip(cells, columns, widths, strict=True):
            text = lines[level] if level < len(lines) else ""
            space = " " * (width - cell_len(text))
            parts.append(space + text if column.right else text + space)
        yield GAP.join(parts).rstrip()


def _fitted_widths(columns: Sequence[Column], rows: Sequence[Row], width: int) -> list[int]:
    """Return the widths of the columns; the widest that wraps gives way until the table fits."""
    least: list[int] = []
    widths: list[int] = []
    for number, column in enumerate(columns):
        texts = [row[number] for row in rows]
        pieces = (_longest_piece(text) if column.wraps else cell_len(text) for text in texts)
        low = max([_title_width(column.title), *pieces])
        least.append(low)
        widths.append(max([low, *map(cell_len, texts)]))
    spare = width - len(GAP) * (len(columns) - 1)
    while sum(widths) > spare:
        flexible = [n for n in range(len(columns)) if widths[n] > least[n]]
        if not flexible:
            break
        widest = max(flexible, key=lambda n: widths[n])
        widths[widest] = max(least[widest], widths[widest] - (sum(widths) - spare))
    return widths


def _title_width(title: str) -> int:
    """Return the least width of a head: that of one line if it is short, else of two lines."""
    width = cell_len(title)
    return width if width <= SHORT_TITLE else max(_longest_piece(title), width // TITLE_LINES + 1)


def _longest_piece(text: str) -> int:
    return max((cell_len(piece.rstrip()) for piece in PIECE.findall(text)), default=0)
