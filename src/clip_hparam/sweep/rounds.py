"""The rounds of a sweep: all trials at once or, with racing, more seeds for undecided cells.

The next round is a function of the records alone, so an interrupted sweep continues where it was,
and trials that are done cost nothing.
"""

from collections.abc import Iterator
from dataclasses import replace
from statistics import fmean

from clip_hparam.config.text.count import counted
from clip_hparam.config.text.numbers import format_number
from clip_hparam.design import racing
from clip_hparam.design.design import Cell
from clip_hparam.design.expand import reference_row
from clip_hparam.records.metrics import reported_value
from clip_hparam.records.record import Record
from clip_hparam.sweep.sweep import Sweep


def racing_rounds(sweep: Sweep) -> Iterator[Sweep]:
    """Yield growing parts of the sweep; run each part before asking for the next one."""
    race = sweep.race
    if race is None:
        yield sweep
        return
    n_seeds = dict.fromkeys(sweep.cells, race.start)
    part = _with_seeds(sweep, n_seeds)
    yield part
    undecided = sweep.cells[1:]
    for n in race.looks[1:]:
        undecided = [cell for cell in undecided if _is_undecided(part, cell)]
        if not undecided:
            return
        for cell in undecided:
            n_seeds[cell] = n_seeds[_reference(sweep, cell)] = n
        part = _with_seeds(sweep, n_seeds)
        yield part


def race_verdicts(part: Sweep) -> Iterator[str]:
    """Yield a line for each difference of a race that has run."""
    if part.race is None:
        return
    for cell in part.cells[1:]:
        differences = seed_differences(part, cell)
        if differences:
            verdict, reference = racing.verdict(differences, part.race), _reference(part, cell)
            size = f"{format_number(fmean(differences), '+.2f')} points to {reference.label}"
            yield f"{cell.label}: {verdict}, {size} over {counted(len(differences), 'seed')}"


def seed_differences(part: Sweep, cell: Cell) -> list[float] | None:
    """Return the cell's reported test accuracy minus its reference's, in points, by ascending seed.

    None while a trial of either is missing.
    """
    ours, theirs = _accuracies(part, cell), _accuracies(part, _reference(part, cell))
    if ours is None or theirs is None:
        return None
    return [ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())]


def _is_undecided(part: Sweep, cell: Cell) -> bool:
    """Return whether more seeds may decide; after a failed trial they cannot."""
    assert part.race is not None
    differences = seed_differences(part, cell)
    return differences is not None and racing.verdict(differences, part.race) == racing.UNDECIDED


def _reference(sweep: Sweep, cell: Cell) -> Cell:
    return sweep.cells[reference_row(sweep.kind, sweep.cells.index(cell))]


def _with_seeds(sweep: Sweep, n_seeds: dict[Cell, int]) -> Sweep:
    """Return the sweep with the first `n_seeds` seeds of each cell."""
    assert sweep.race is not None
    seeds = sweep.race.seeds
    planned = [plan for plan in sweep.planned if plan.seed in seeds[: n_seeds[plan.cell]]]
    return replace(sweep, planned=planned)


def _accuracies(part: Sweep, cell: Cell) -> dict[int, float] | None:
    """Return the reported test accuracies by seed; None if a planned trial is not done."""
    accuracies: dict[int, float] = {}
    for plan in part.planned:
        if plan.cell == cell:
            result = Record(part.runs, plan.trial_id).result()
            if result is None:
                return None
            accuracies[plan.seed] = reported_value(result)
    return accuracies
