"""Kinds of designs: each expands a design to its cells.

grid, zip, one_at_a_time, random and sobol vary knobs. list, ladder, leave_one_out, factorial and
fractional combine steps, each of which is a label with its overrides.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from clip_hparam.config.knob import suggest
from clip_hparam.design.design import Cell, Design, Step, merged_overrides
from clip_hparam.design.fractional import aliases, fractional_factorial
from clip_hparam.design.knob_levels import (
    parse_knob_range,
    repeated_level_notes,
    with_distinct_levels,
)
from clip_hparam.design.sampling import random_positions, sample_points, sobol_positions
from clip_hparam.design.validation import validate_labels

Expand = Callable[[Design], Iterable[Cell]]


@dataclass(frozen=True)
class DesignKind:
    """A function that expands designs of one kind, and its requirements.

    needs: "knobs" or "steps". takes_ranges: knobs may have a range. notes: lines that a plan shows
    below the cells. is_crossed: levels are combined, so that equal ones are one; those of a zip
    belong together. is_cumulative: a cell is compared with the cell before, not with the first.
    """

    expand: Expand
    needs: str
    takes_ranges: bool = False
    is_crossed: bool = False
    is_cumulative: bool = False
    notes: Callable[[Design], list[str]] = lambda design: []


KINDS: dict[str, DesignKind] = {}


def design_kind(name: str, needs: str, **more: Any) -> Callable[[Expand], Expand]:
    """Register the decorated function in KINDS; `more` are further fields of DesignKind."""

    def register(expand: Expand) -> Expand:
        KINDS[name] = DesignKind(expand, needs, **more)
        return expand

    return register


def expand_design(design: Design) -> list[Cell]:
    """Return all cells in the design's order, base overrides included.

    Raises:
        ValueError: an unknown kind, or a design without what its kind needs.
    """
    if design.kind not in KINDS:
        raise ValueError(f"design kind {design.kind}: {suggest(design.kind, KINDS)}")
    kind = KINDS[design.kind]
    if not getattr(design, kind.needs):
        form = {"steps": "steps: [{label, overrides}]", "knobs": "knobs: {knob: [levels]}"}
        raise ValueError(f"design {design.name} of kind {design.kind} needs {form[kind.needs]}")
    unused = "steps" if kind.needs == "knobs" else "knobs"
    if getattr(design, unused):
        raise ValueError(
            f"design {design.name} of kind {design.kind} varies {kind.needs}, and its {unused}"
            " would be ignored: remove them"
        )
    if not kind.takes_ranges:
        validate_no_ranges(design.knobs)
    if kind.is_crossed:
        design = replace(design, knobs=with_distinct_levels(design.knobs))
    cells = [
        Cell(cell.label, merged_overrides(design.base, cell.overrides))
        for cell in kind.expand(design)
    ]
    validate_labels(design.name, ((cell.label, cell.overrides) for cell in cells))
    return cells


def design_notes(design: Design) -> list[str]:
    """Return the lines that a plan shows below the cells of a design."""
    return KINDS[design.kind].notes(design)


def repeated_levels(design: Design) -> list[str]:
    """Return a sentence for each knob whose equal levels are used once."""
    return repeated_level_notes(design.knobs) if KINDS[design.kind].is_crossed else []


def reference_row(kind: str, row: int) -> int:
    """Return the row that a cell is compared with: the one before on a ladder, else the first."""
    return max(0, row - 1) if kind in KINDS and KINDS[kind].is_cumulative else 0


def validate_no_ranges(knobs: Mapping[str, Sequence[str]]) -> None:
    """Raise ValueError for a range where levels are needed."""
    for knob, levels in knobs.items():
        for level in levels:
            if parse_knob_range(knob, level):
                raise ValueError(
                    f"{knob}={level} is a range, and a sweep needs levels: list them with commas,"
                    " take a design of kind random or sobol, or search: hydra.sweeper.n_trials=20"
                )


@design_kind("grid", needs="knobs", is_crossed=True)
def _grid(design: Design) -> Iterator[Cell]:
    for levels in product(*design.knobs.values()):
        yield _cell_from_levels(dict(zip(design.knobs, levels, strict=True)))


@design_kind("zip", needs="knobs")
def _zip(design: Design) -> Iterator[Cell]:
    lengths = {len(levels) for levels in design.knobs.values()}
    if len(lengths) > 1:
        sizes = ", ".join(f"{knob} has {len(levels)}" for knob, levels in design.knobs.items())
        raise ValueError(f"design {design.name} needs as many levels for each knob: {sizes}")
    for levels in zip(*design.knobs.values(), strict=True):
        yield _cell_from_levels(dict(zip(design.knobs, levels, strict=True)))


@design_kind("one_at_a_time", needs="knobs", is_crossed=True)
def _one_at_a_time(design: Design) -> Iterator[Cell]:
    """Yield the first level of every knob as the baseline, then move each knob alone."""
    first = {knob: levels[0] for knob, levels in design.knobs.items()}
    yield replace(_cell_from_levels(first), label="baseline")
    for knob, levels in design.knobs.items():
        for level in levels[1:]:
            yield replace(_cell_from_levels({**first, knob: level}), label=f"{knob}={level}")


@design_kind("list", needs="steps")
def _list(design: Design) -> Iterator[Cell]:
    for step in design.steps:
        yield Cell(step.label, step.overrides)


@design_kind("ladder", needs="steps", is_cumulative=True)
def _ladder(design: Design) -> Iterator[Cell]:
    """Yield a cell per rung, with the overrides of this rung and of all rungs before."""
    for n, step in enumerate(design.steps, 1):
        yield Cell(step.label, merged_overrides(*(below.overrides for below in design.steps[:n])))


@design_kind("leave_one_out", needs="steps")
def _leave_one_out(design: Design) -> Iterator[Cell]:
    """Yield the full recipe, then the recipe without each step."""
    yield _cell_with_steps("full", design.steps)
    for omitted in design.steps:
        others = [step for step in design.steps if step is not omitted]
        yield _cell_with_steps(f"no {omitted.label}", others)


@design_kind("factorial", needs="steps")
def _factorial(design: Design) -> Iterator[Cell]:
    """Yield all 2^k combinations, the first step changing fastest (Yates order)."""
    for pattern in product((False, True), repeat=len(design.steps)):
        yield _cell_from_pattern(design.steps, pattern[::-1])


@design_kind("fractional", needs="steps", notes=aliases)
def _fractional(design: Design) -> Iterator[Cell]:
    """Yield the part of the factorial that has the design's resolution."""
    for pattern in fractional_factorial(design):
        yield _cell_from_pattern(design.steps, pattern)


@design_kind("random", needs="knobs", takes_ranges=True, is_crossed=True)
def _random(design: Design) -> Iterator[Cell]:
    return (_cell_from_levels(point) for point in sample_points(design, random_positions))


@design_kind("sobol", needs="knobs", takes_ranges=True, is_crossed=True)
def _sobol(design: Design) -> Iterator[Cell]:
    return (_cell_from_levels(point) for point in sample_points(design, sobol_positions))


def _cell_from_levels(levels: Mapping[str, str]) -> Cell:
    overrides = tuple(f"{knob}={level}" for knob, level in levels.items())
    return Cell(",".join(overrides), overrides)


def _cell_with_steps(label: str, steps: Sequence[Step]) -> Cell:
    return Cell(label, merged_overrides(*(step.overrides for step in steps)))


def _cell_from_pattern(steps: Sequence[Step], pattern: Sequence[bool]) -> Cell:
    on = [step for step, is_on in zip(steps, pattern, strict=True) if is_on]
    return _cell_with_steps("+".join(step.label for step in on) or "none", on)
