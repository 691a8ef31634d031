"""The notes below the table of a sweep's cells."""

import io

import pytest
from rich.console import Console

from clip_hparam.analysis.evidence.cells.cell_results import SeedResults, cell_results
from clip_hparam.sweep.display.results import print_results


@pytest.mark.parametrize(
    ("selection", "ending"),
    [((80.0, 79.0), "2 cells with all of their trials"), ((80.0, 80.0), "and this is the first")],
)
def test_mark_of_the_selected_cell_is_explained_also_where_another_is_equal(
    selection: tuple[float, float], ending: str
) -> None:
    cells = [
        SeedResults(name, 1, {0: 90.0}, {0: accuracy})
        for name, accuracy in zip("ab", selection, strict=True)
    ]
    out = io.StringIO()
    print_results(Console(file=out, width=200), cell_results(cells, "first"), "lr", "grid")
    note = next(line for line in out.getvalue().splitlines() if line.startswith("* selected"))
    assert note.endswith(ending)
    assert ("2 cells have it" in note) == (selection[0] == selection[1])
