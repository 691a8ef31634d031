"""Designs -> cells: what each kind of design means.

grid, zip, one_at_a_time, random, sobol vary knobs; list, ladder, leave_one_out, factorial,
fractional are made of steps, each a label and its overrides.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

from clip_hparam.config.knob import suggest
from clip_hparam.design.design import Cell, Design, Step, merged_overrides
from clip_hparam.design.fractional import aliases, fractional_factorial
from clip_hparam.design.ranges import parse_range
from clip_hparam.design.sampling import sample_points
from clip_hparam.design.validation import validate_labels


def expand_design(design: Design) -> list[Cell]:
    """All cells in the design's order, base overrides included.

    Raises ValueError for a design that its kind cannot make cells of.
    """
    if design.kind not in KINDS:
        raise ValueError(f"design kind {design.kind}: {suggest(design.kind, KINDS)}")
    needs_steps = design.kind in KINDS_WITH_STEPS
    if (needs_steps and not design.steps) or not (needs_steps or design.knobs):
        what = "steps: [{label, overrides}]" if needs_steps else "knobs: {knob: [levels]}"
        raise ValueError(f"design {design.name} of kind {design.kind} has none of its {what}")
    if design.kind not in SAMPLED_KINDS:
        validate_no_ranges(design.knobs)
    made = KINDS[design.kind](design)
    cells = [Cell(cell.label, merged_overrides(design.base, cell.overrides)) for cell in made]
    validate_labels(design.name, ((cell.label, cell.overrides) for cell in cells))
    return cells


def design_notes(design: Design) -> list[str]:
    """What a reader of the plan must know of the design beside its cells, a line each."""
    return aliases(design) if design.kind == "fractional" else []


def reference_row(kind: str, row: int) -> int:
    """The cell that a cell is compared with: on a ladder the one before, else the first."""
    return max(0, row - 1) if kind == "ladder" else 0


def validate_no_ranges(knobs: Mapping[str, Sequence[str]]) -> None:
    """Raises ValueError for a range where levels are needed."""
    for knob, levels in knobs.items():
        for level in levels:
            if parse_range(level):
                raise ValueError(
                    f"{knob}={level} is a range, and a sweep needs levels: list them with commas,"
                    " or take a design of kind random or sobol"
                )


def _grid(design: Design) -> Iterator[Cell]:
    for levels in product(*design.knobs.values()):
        yield _cell_from_levels(dict(zip(design.knobs, levels, strict=True)))


def _zip(design: Design) -> Iterator[Cell]:
    lengths = {len(levels) for levels in design.knobs.values()}
    if len(lengths) > 1:
        sizes = ", ".join(f"{knob} has {len(levels)}" for knob, levels in design.knobs.items())
        raise ValueError(f"design {design.name} zips levels of different number: {sizes}")
    for levels in zip(*design.knobs.values(), strict=True):
        yield _cell_from_levels(dict(zip(design.knobs, levels, strict=True)))


def _one_at_a_time(design: Design) -> Iterator[Cell]:
    """The baseline is the first level of every knob; then each knob moves alone."""
    first = {knob: levels[0] for knob, levels in design.knobs.items()}
    yield replace(_cell_from_levels(first), label="baseline")
    for knob, levels in design.knobs.items():
        for level in levels[1:]:
            yield replace(_cell_from_levels({**first, knob: level}), label=f"{knob}={level}")


def _list(design: Design) -> Iterator[Cell]:
    for step in design.steps:
        yield Cell(step.label, step.overrides)


def _ladder(design: Design) -> Iterator[Cell]:
    """Cumulative: a rung has all overrides of the rungs before it."""
    for n, step in enumerate(design.steps, 1):
        yield Cell(step.label, merged_overrides(*(below.overrides for below in design.steps[:n])))


def _leave_one_out(design: Design) -> Iterator[Cell]:
    """The full recipe, then the recipe without each step."""
    yield _cell_with_steps("full", design.steps)
    for left in design.steps:
        yield _cell_with_steps(
            f"no {left.label}", [step for step in design.steps if step is not left]
        )


def _factorial(design: Design) -> Iterator[Cell]:
    """All 2^k combinations, the first step changing fastest (Yates order)."""
    for pattern in product((False, True), repeat=len(design.steps)):
        yield _cell_from_pattern(design.steps, pattern[::-1])


def _fractional(design: Design) -> Iterator[Cell]:
    """A part of the factorial in which no main effect is mixed up with too low an interaction."""
    for pattern in fractional_factorial(design):
        yield _cell_from_pattern(design.steps, pattern)


def _random(design: Design) -> Iterator[Cell]:
    return (_cell_from_levels(point) for point in sample_points(design, "random"))


def _sobol(design: Design) -> Iterator[Cell]:
    return (_cell_from_levels(point) for point in sample_points(design, "sobol"))


def _cell_from_levels(levels: Mapping[str, str]) -> Cell:
    overrides = tuple(f"{knob}={level}" for knob, level in levels.items())
    return Cell(",".join(overrides), overrides)


def _cell_with_steps(label: str, steps: Sequence[Step]) -> Cell:
    return Cell(label, merged_overrides(*(step.overrides for step in steps)))


def _cell_from_pattern(steps: Sequence[Step], pattern: Sequence[bool]) -> Cell:
    on = [step for step, there in zip(steps, pattern, strict=True) if there]
    return _cell_with_steps("+".join(step.label for step in on) or "none", on)


KINDS: dict[str, Callable[[Design], Iterator[Cell]]] = {
    "grid": _grid,
    "zip": _zip,
    "one_at_a_time": _one_at_a_time,
    "list": _list,
    "ladder": _ladder,
    "leave_one_out": _leave_one_out,
    "factorial": _factorial,
    "fractional": _fractional,
    "random": _random,
    "sobol": _sobol,
}
KINDS_WITH_STEPS = ("list", "ladder", "leave_one_out", "factorial", "fractional")
SAMPLED_KINDS = ("random", "sobol")
