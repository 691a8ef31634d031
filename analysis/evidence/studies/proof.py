"""The verdict of a race on each cell against the reference: better, worse or undecided."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import pandas as pd

from clip_hparam.analysis.evidence.cells.cell_results import (
    CellResult,
    SeedResults,
    cell_results,
    reference_of,
)
from clip_hparam.analysis.evidence.replicates import Replicates, sweep_replicates
from clip_hparam.analysis.frames.frame import Frames, reported_values
from clip_hparam.analysis.frames.labels import format_difference
from clip_hparam.analysis.frames.manifests import SweepManifest, race_of
from clip_hparam.design import racing
from clip_hparam.design.design import Overrides

Verdict = Literal["reference", "better", "worse", "undecided", "incomplete"]
VERDICTS: Mapping[str, Verdict] = {
    racing.MORE: "better",
    racing.LESS: "worse",
    racing.UNDECIDED: "undecided",
}


class RacedCell(NamedTuple):
    """A cell of a race with its results, and its verdict against the cell `result.against`."""

    result: CellResult
    verdict: Verdict
    overrides: Overrides

    @property
    def sentence(self) -> str:
        """Return the decision of the race, with the paired difference."""
        result, delta = self.result, self.result.delta
        if self.verdict == "reference":
            return f"{result.label} is what the others are compared with"
        if self.verdict == "incomplete":
            return f"{result.label}: a run is missing, so there is no difference"
        size = format_difference(delta.mean, delta.low, delta.high)
        numbers = f"{size} points of test accuracy to {result.against}, {delta.n} seeds"
        if self.verdict == "undecided":
            return f"{result.label} is UNDECIDED: {numbers}; the race could not tell them apart"
        return f"{result.label} is {self.verdict}: {numbers}"


def raced_cells(frames: Frames, sweep: SweepManifest) -> list[RacedCell]:
    """Return the cells of a race in its order; [] for a sweep that is not raced."""
    race = race_of(sweep)
    if race is None:
        return []
    cells = sweep_replicates(frames, sweep)
    results = cell_results(
        [seed_results(cell) for cell in cells], reference_of(sweep.name, sweep.kind), race
    )
    return [
        RacedCell(result, _verdict(result, cells, race), cell.cell.overrides)
        for result, cell in zip(results, cells, strict=True)
    ]


def race_sentence(frames: Frames, sweep: SweepManifest, label: str) -> str:
    """Return the decision of a race about one of its cells; "" if the sweep is not raced.

    For the reference it says what became of the other cells.
    """
    raced = raced_cells(frames, sweep)
    named = next((cell for cell in raced if cell.result.label == label), None)
    if named is None:
        return ""
    if named.verdict != "reference":
        return named.sentence
    return "; ".join(cell.sentence for cell in raced if cell is not named)


def _verdict(result: CellResult, cells: Sequence[Replicates], race: racing.Race) -> Verdict:
    by_label = {cell.cell.label: cell for cell in cells}
    if not result.against:
        return "reference"
    ours, theirs = by_label[result.label], by_label[result.against]
    if not (ours.complete and theirs.complete):
        return "incomplete"
    seeds = sorted(set(ours.values.index) & set(theirs.values.index))
    differences = (ours.values.loc[seeds] - theirs.values.loc[seeds]).tolist()
    return VERDICTS[racing.verdict(differences, race)] if differences else "incomplete"


def _by_seed(values: pd.Series) -> dict[int, float]:
    return dict(zip(values.index.astype(int).tolist(), values.astype(float).tolist(), strict=True))


def seed_results(cell: Replicates) -> SeedResults:
    """Return the results of a cell by seed, on the test set and on the selection set."""
    known = cell.values.dropna()
    selection = reported_values(cell.trials, "selection_acc1").dropna()
    return SeedResults(
        cell.cell.label,
        len(cell.values),
        _by_seed(known),
        _by_seed(selection),
        ended=not cell.complete,
    )
