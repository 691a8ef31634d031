"""The rounds of a sweep: all of it at once, or, if it is raced, seed by seed what is undecided.

What is asked next is a function of the records alone, so a sweep that was stopped goes on where it
was, and a trial that is there already costs nothing.
"""

from collections.abc import Iterator
from dataclasses import replace
from statistics import fmean

from clip_hparam.design import racing
from clip_hparam.design.design import Cell
from clip_hparam.design.expand import reference_row
from clip_hparam.records.metrics import reported_accuracy
from clip_hparam.records.record import Record
from clip_hparam.sweep.sweep import Sweep


def racing_rounds(sweep: Sweep) -> Iterator[Sweep]:
    """Growing parts of the sweep; each is to be run before the next one is asked for."""
    race = sweep.race
    if race is None:
        yield sweep
        return
    asked = dict.fromkeys(sweep.cells, race.start)
    part = _with_seeds(sweep, asked)
    yield part
    open_ = sweep.cells[1:]
    for n in race.looks[1:]:
        open_ = [cell for cell in open_ if _undecided(part, cell)]
        if not open_:
            return
        for cell in open_:
            asked[cell] = asked[_reference(sweep, cell)] = n
        part = _with_seeds(sweep, asked)
        yield part


def race_verdicts(part: Sweep) -> Iterator[str]:
    """A line for each difference of a race that has run."""
    if part.race is None:
        return
    for cell in part.cells[1:]:
        found = seed_differences(part, cell)
        if found:
            said, other = racing.verdict(found, part.race), _reference(part, cell)
            by = f"{fmean(found):+.2f} points to {other.label}"
            yield f"{cell.label}: {said}, {by} over {len(found)} seeds"


def seed_differences(part: Sweep, cell: Cell) -> list[float] | None:
    """Test accuracy less the reference's, in the order of the seeds; None while a trial is missing.

    The number is the one that the tables report.
    """
    ours, theirs = _accuracies(part, cell), _accuracies(part, _reference(part, cell))
    if ours is None or theirs is None:
        return None
    return [ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())]


def _undecided(part: Sweep, cell: Cell) -> bool:
    """A trial that failed leaves nothing to decide, and nothing to add."""
    assert part.race is not None
    found = seed_differences(part, cell)
    return found is not None and racing.verdict(found, part.race) == racing.UNDECIDED


def _reference(sweep: Sweep, cell: Cell) -> Cell:
    return sweep.cells[reference_row(sweep.kind, sweep.cells.index(cell))]


def _with_seeds(sweep: Sweep, asked: dict[Cell, int]) -> Sweep:
    """The sweep with the first so many seeds of each cell."""
    assert sweep.race is not None
    seeds = sweep.race.seeds
    planned = [plan for plan in sweep.planned if plan.seed in seeds[: asked[plan.cell]]]
    return replace(sweep, planned=planned)


def _accuracies(part: Sweep, cell: Cell) -> dict[int, float] | None:
    """By seed; None if a trial that was asked for is not done."""
    found: dict[int, float] = {}
    for plan in part.planned:
        if plan.cell == cell:
            result = Record(part.runs, plan.job.trial_id).result()
            if result is None:
                return None
            found[plan.seed] = reported_accuracy(result)
    return found
