"""Results of a benchmark: rows of a table and of RESULTS.json.

A benchmark is a script of this folder with a function `main`. Where `main` returns rows, they go
to benchmarks/RESULTS.json and into the table of `python benchmarks/run.py`; otherwise the script is
run and its output shown. A constant QUICK, a list of arguments, makes it part of `run.py --quick`.
"""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple


class Row(NamedTuple):
    """One figure.

    name: unique among all benchmarks, "script: what is measured".
    low, high: 10 and 90 % of the rounds; the median again for a single run.
    unit: "s", "ms", "x" for a ratio to the peer, above 1 where ours is better, ...
    peer: what a ratio compares with; "" for an absolute figure.
    """

    name: str
    median: float
    low: float
    high: float
    unit: str
    peer: str = ""


def row_of(name: str, values: Sequence[float], unit: str, peer: str = "") -> Row:
    """Return the row of the values of all rounds."""
    ordered = sorted(values)
    edge = len(ordered) // 10
    return Row(name, median(ordered), ordered[edge], ordered[-1 - edge], unit, peer)


def ratio_of(name: str, ours: Sequence[float], peers: Sequence[float], peer: str) -> Row:
    """Return the row of the peer's cost over ours, by interleaved rounds."""
    ratios = [theirs / own for theirs, own in zip(peers, ours, strict=True)]
    return row_of(name, ratios, "x", peer)


def to_markdown(rows: Iterable[Row]) -> str:
    """Return a Markdown table of the rows."""
    lines = ["| benchmark | median | 10 to 90 % | unit | peer |", "|---|---|---|---|---|"]
    for row in rows:
        spread = "" if row.low == row.high else f"{row.low:.3g} to {row.high:.3g}"
        cells = (row.name, f"{row.median:.3g}", spread, row.unit, row.peer)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
