"""The results of the cells of a sweep, from the records of its trials."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console

from clip_hparam.config.text.count import counted
from clip_hparam.config.text.numbers import format_number
from clip_hparam.records.metrics import reported_value
from clip_hparam.records.record import Record
from clip_hparam.records.state import LIVE, TrialState
from clip_hparam.sweep.console import print_plain
from clip_hparam.sweep.display.text_table import Column, print_table

if TYPE_CHECKING:
    from clip_hparam.analysis.evidence.cells.cell_results import CellResult, SeedResults
    from clip_hparam.design.racing import Race

MAX_ROWS = 100
MISSING = (TrialState.PLANNED, *LIVE)
"""States of trials that have no result yet and may still get one."""
SELECTED_MARK = "*"


class PlannedCell(NamedTuple):
    """A cell: its label, and its trial ids by seed."""

    label: str
    trials: Mapping[int, str]


def read_cell_results(
    runs: Path,
    name: str,
    kind: str,
    cells: Sequence[PlannedCell],
    states: Mapping[str, TrialState],
    race: "Race | None" = None,
    results: Mapping[str, Mapping[str, Any]] | None = None,
) -> "list[CellResult]":
    """Return a row per cell in the design's order.

    states: of all trials of the cells. results: of the done trials, where the caller has read them.
    """
    from clip_hparam.analysis.evidence.cells.cell_results import (  # lazy: pandas, 0.4 s
        cell_results,
        reference_of,
    )

    if results is None:
        done = (name for name, state in states.items() if state == TrialState.DONE)
        results = {name: Record(runs, name).result() or {} for name in done}
    values = _reported(results)
    return cell_results(
        [_seed_results(cell, states, values) for cell in cells], reference_of(name, kind), race
    )


def _reported(results: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[float, float]]:
    """Return the reported accuracies of trials, on the selection and on the test set.

    A trial without a number on the test set is left out; one on the selection set may be NaN.
    """
    pairs = {
        name: (_accuracy(result, "selection_acc1"), _accuracy(result, "test_acc1"))
        for name, result in results.items()
    }
    return {name: pair for name, pair in pairs.items() if not math.isnan(pair[1])}


def _accuracy(result: Mapping[str, Any], metric: str) -> float:
    try:
        return reported_value(result, metric)
    except (KeyError, TypeError):  # missing, or null
        return math.nan


def _seed_results(
    cell: PlannedCell,
    states: Mapping[str, TrialState],
    values: Mapping[str, tuple[float, float]],
) -> "SeedResults":
    from clip_hparam.analysis.evidence.cells.cell_results import SeedResults

    done = {seed: values[name] for seed, name in cell.trials.items() if name in values}
    missing = [states[name] for name in cell.trials.values() if name not in values]
    return SeedResults(
        cell.label,
        len(cell.trials),
        {seed: test for seed, (_, test) in done.items()},
        {seed: selection for seed, (selection, _) in done.items()},
        any(state not in MISSING for state in missing),
    )


def print_results(console: Console, rows: "Sequence[CellResult]", name: str, kind: str) -> None:
    """Print the table of the cells of a sweep, and a line about the mark of the selected one."""
    from clip_hparam.analysis.evidence.cells.cell_results import reference_of

    shown = rows[:MAX_ROWS]
    selected = next((number for number, row in enumerate(rows) if row.selected), None)
    if selected is not None and selected >= MAX_ROWS:
        shown = [*shown, rows[selected]]
    texts = [_texts(row) for row in shown]
    bold = [number for number, row in enumerate(shown) if row.selected]
    before = "one before" if reference_of(name, kind) == "previous" else "first"
    columns = [
        Column("cell", wraps=True),
        Column("n", right=True),
        Column("selection acc1, %", right=True),
        Column("test acc1, %", right=True),
        Column(f"\N{GREEK CAPITAL LETTER DELTA} to the {before}", right=True),
    ]
    print_table(console, columns, texts, bold)
    if len(rows) > len(shown):
        print_plain(console, f"and {counted(len(rows) - len(shown), 'more cell')}: --json has all")
    print_plain(console, *_notes(rows, selected))


def _notes(rows: "Sequence[CellResult]", selected: int | None) -> Iterator[str]:
    finished = sum(row.done == row.asked for row in rows)
    if selected is not None and len(rows) > 1:
        equal = sum(
            row.done == row.asked and row.selection == rows[selected].selection for row in rows
        )
        yield (
            f"{SELECTED_MARK} selected: the highest mean on the selection set, of"
            f" {counted(finished, 'cell')} with all of {'its' if finished == 1 else 'their'} trials"
            f"{f'; {equal} cells have it, and this is the first' if equal > 1 else ''}"
        )
    if any(row.test.low == row.test.low for row in rows):
        yield "\N{PLUS-MINUS SIGN}: 95 % t interval over seeds; differences are paired by seed"


def _texts(row: "CellResult") -> list[str]:
    from clip_hparam.analysis.frames.labels import (
        MISSING_MARK,
        format_difference,
        format_interval,
    )

    count = str(row.done) if row.done == row.asked else f"{row.done} of {row.asked}"
    return [
        f"{row.label} {SELECTED_MARK}" if row.selected else row.label,
        count,
        format_number(row.selection, ".2f") or MISSING_MARK,
        format_interval(*row.test[:3]) or MISSING_MARK,
        format_difference(*row.delta[:3]) if row.against else "",
    ]
