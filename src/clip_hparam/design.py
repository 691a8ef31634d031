"""Ablation designs as data: a design compiles to cells, and a cell is a plain list of overrides.

Every cell can be run again by `python sweep.py <overrides>`. Neither Hydra nor torch is needed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from clip_hparam.knob import near

Overrides = tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """A rung of a ladder, or a knob with an off (absent) and an on (its overrides)."""

    label: str
    overrides: Overrides


@dataclass(frozen=True)
class Cell:
    """One configuration of a design; its trials differ only in the seed."""

    label: str
    overrides: Overrides


@dataclass(frozen=True)
class Design:
    """What a file in sweeps/ says."""

    name: str
    kind: str
    base: Overrides = ()
    knobs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    seeds: Any = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"design kind {self.kind}: {near(self.kind, KINDS)}")
        needs_steps = self.kind in WITH_STEPS
        if (needs_steps and not self.steps) or not (needs_steps or self.knobs):
            what = "steps: [{label, overrides}]" if needs_steps else "knobs: {knob: [levels]}"
            raise ValueError(f"design {self.name} of kind {self.kind} has none of its {what}")


def from_dict(tree: Mapping[str, Any]) -> Design:
    """Raises ValueError for a key or a kind that no design has."""
    known = ("name", "kind", "base", "knobs", "steps", "seeds")
    for key in tree:
        if key not in known:
            raise ValueError(f"design key {key}: {near(key, known)}")
    for key in ("name", "kind"):
        if not tree.get(key):
            raise ValueError(f"a design needs a {key}: say `{key}: ...` in its file")
    steps = tuple(
        Step(str(step["label"]), tuple(step["overrides"])) for step in tree.get("steps") or ()
    )
    knobs = {
        str(knob): [text(level) for level in levels]
        for knob, levels in (tree.get("knobs") or {}).items()
    }
    base = tuple(tree.get("base") or ())
    return Design(str(tree["name"]), str(tree["kind"]), base, knobs, steps, tree.get("seeds"))


def with_levels(design: Design, levels: Mapping[str, Sequence[str]]) -> Design:
    """The design with the levels of knobs that it varies replaced."""
    return replace(design, knobs={**design.knobs, **levels})


def with_base(design: Design, overrides: Sequence[str]) -> Design:
    """The design with overrides added to the base of every cell."""
    return replace(design, base=merged(design.base, overrides))


def cells(design: Design) -> list[Cell]:
    """All cells in the design's order, base overrides included."""
    return [
        Cell(cell.label, merged(design.base, cell.overrides)) for cell in KINDS[design.kind](design)
    ]


def merged(*parts: Sequence[str]) -> Overrides:
    """Overrides in order; a later value of a key takes the place of an earlier one."""
    by_key: dict[str, str] = {}
    for override in (override for part in parts for override in part):
        by_key[key_of(override)] = override
    return tuple(by_key.values())


def key_of(override: str) -> str:
    return override.partition("=")[0].lstrip("+")


def text(value: Any) -> str:
    """A YAML value as it is written on the command line."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)


def _grid(design: Design) -> Iterator[Cell]:
    for levels in product(*design.knobs.values()):
        yield _cell(dict(zip(design.knobs, levels, strict=True)))


def _zip(design: Design) -> Iterator[Cell]:
    lengths = {len(levels) for levels in design.knobs.values()}
    if len(lengths) > 1:
        sizes = ", ".join(f"{knob} has {len(levels)}" for knob, levels in design.knobs.items())
        raise ValueError(f"design {design.name} zips levels of different number: {sizes}")
    for levels in zip(*design.knobs.values(), strict=True):
        yield _cell(dict(zip(design.knobs, levels, strict=True)))


def _one_at_a_time(design: Design) -> Iterator[Cell]:
    """The baseline is the first level of every knob; then each knob moves alone."""
    first = {knob: levels[0] for knob, levels in design.knobs.items()}
    yield replace(_cell(first), label="baseline")
    for knob, levels in design.knobs.items():
        for level in levels[1:]:
            yield replace(_cell({**first, knob: level}), label=f"{knob}={level}")


def _list(design: Design) -> Iterator[Cell]:
    for step in design.steps:
        yield Cell(step.label, step.overrides)


def _ladder(design: Design) -> Iterator[Cell]:
    """Cumulative: a rung has all overrides of the rungs before it."""
    for n, step in enumerate(design.steps, 1):
        yield Cell(step.label, merged(*(below.overrides for below in design.steps[:n])))


def _leave_one_out(design: Design) -> Iterator[Cell]:
    """The full recipe, then the recipe without each step."""
    yield _on("full", design.steps)
    for left in design.steps:
        yield _on(f"no {left.label}", [step for step in design.steps if step is not left])


def _factorial(design: Design) -> Iterator[Cell]:
    """All 2^k combinations, the first step changing fastest (Yates order)."""
    for pattern in product((False, True), repeat=len(design.steps)):
        on = [step for step, there in zip(design.steps, reversed(pattern), strict=True) if there]
        yield _on("+".join(step.label for step in on) or "none", on)


def _cell(levels: Mapping[str, str]) -> Cell:
    overrides = tuple(f"{knob}={level}" for knob, level in levels.items())
    return Cell(",".join(overrides), overrides)


def _on(label: str, steps: Sequence[Step]) -> Cell:
    return Cell(label, merged(*(step.overrides for step in steps)))


KINDS: dict[str, Callable[[Design], Iterator[Cell]]] = {
    "grid": _grid,
    "zip": _zip,
    "one_at_a_time": _one_at_a_time,
    "list": _list,
    "ladder": _ladder,
    "leave_one_out": _leave_one_out,
    "factorial": _factorial,
}
WITH_STEPS = ("list", "ladder", "leave_one_out", "factorial")
