"""Ablation designs as data: a design expands to cells (expand.py), a cell is a list of overrides.

`python sweep.py <overrides>` runs a cell again. Standard library only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from clip_hparam.config.knob import suggest
from clip_hparam.design.validation import normalized_label, validate_tree

Overrides = tuple[str, ...]
MAX_SAMPLES = 1_000_000
ROMAN_NUMERALS = {"III": 3, "IV": 4, "V": 5, "VI": 6}


@dataclass(frozen=True)
class Step:
    """A rung of a ladder, or a factor that is off without its overrides and on with them."""

    label: str
    overrides: Overrides


@dataclass(frozen=True)
class Cell:
    """One configuration of a design; its trials differ only in the seed."""

    label: str
    overrides: Overrides


@dataclass(frozen=True)
class Design:
    """The content of a file in sweeps/.

    base: overrides of every cell.
    knobs: texts of levels by knob; kinds that draw levels also take one range: interval(0, 0.2).
    seeds: number or list of replicates, or a race.
    resolution: of a fractional factorial, 3 to 6.
    samples, sampling_seed: number and seed of random and Sobol draws.
    when: of a search: the knob that must be on for a knob to be varied.
    """

    name: str
    kind: str
    base: Overrides = ()
    knobs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    seeds: Any = None
    resolution: int = 4
    samples: int = 0
    sampling_seed: int = 0
    when: Mapping[str, str] = field(default_factory=dict)


def parse_design(tree: Mapping[str, Any]) -> Design:
    """Return the design in the content of a design file.

    Raises:
        ValueError: an unknown key, a missing name or kind, or a value of the wrong type.
    """
    known = [field.name for field in fields(Design)]
    for key in tree:
        if key not in known:
            raise ValueError(f"design key {key}: {suggest(key, known)}")
    for key, example in (("name", "my_sweep"), ("kind", "grid")):
        if not tree.get(key):
            which = f"design {tree['name']}" if tree.get("name") else "a design"
            raise ValueError(
                f"{which} needs a {key}: add `{key}: {example}` to its file (docs/sweeps.md)"
            )
    validate_tree(tree)
    design = Design(
        name=str(tree["name"]),
        kind=str(tree["kind"]),
        base=tuple(tree.get("base") or ()),
        knobs={
            str(knob): _parse_levels(value) for knob, value in (tree.get("knobs") or {}).items()
        },
        steps=tuple(
            Step(normalized_label(step["label"]), tuple(step["overrides"]))
            for step in tree.get("steps") or ()
        ),
        seeds=tree.get("seeds"),
        when={str(knob): str(other) for knob, other in (tree.get("when") or {}).items()},
        **_parse_numbers(tree),
    )
    validate_seeds(design, design.seeds, design.base)
    return design


def _parse_numbers(tree: Mapping[str, Any]) -> dict[str, int]:
    """Return the whole numbers of a design file, or their defaults."""
    resolution = tree.get("resolution", 4)
    numbers = {
        "resolution": ROMAN_NUMERALS.get(str(resolution), resolution),
        "samples": tree.get("samples", 0),
        "sampling_seed": tree.get("sampling_seed", 0),
    }
    for key, value in numbers.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ValueError(f"design {tree['name']}: {key}={value} is not a whole number >= 0")
    if numbers["samples"] > MAX_SAMPLES:
        raise ValueError(
            f"design {tree['name']}: samples={numbers['samples']} is over {MAX_SAMPLES}"
        )
    return numbers


def validate_seeds(design: Design, seeds: Any, base: Sequence[str] = ()) -> None:
    """Raise ValueError if `seeds` asks for replicates and the cells set their seed themselves."""
    if seeds is not None and (varies_seed(design) or "seed" in map(key_of, base)):
        raise ValueError(
            f"design {design.name} gives its cells a seed, and seeds={seeds} asks for"
            " replicates: leave one of them out"
        )


def varies_seed(design: Design) -> bool:
    """Return whether seed is a knob or stands in a step."""
    steps = (override for step in design.steps for override in step.overrides)
    return any(key_of(override) == "seed" for override in (*design.knobs, *steps))


def with_levels(design: Design, levels: Mapping[str, Sequence[str]]) -> Design:
    """Return the design with other levels for some of its knobs."""
    return replace(design, knobs={**design.knobs, **levels})


def with_base(design: Design, overrides: Sequence[str]) -> Design:
    """Return the design with overrides added to its base."""
    return replace(design, base=merged_overrides(design.base, overrides))


def merged_overrides(*parts: Sequence[str]) -> Overrides:
    """Return overrides without repeated keys: the last value, at the position of the first."""
    by_key: dict[str, str] = {}
    for override in (override for part in parts for override in part):
        by_key[key_of(override)] = override
    return tuple(by_key.values())


def key_of(override: str) -> str:
    """Return the key of an override, without the + that adds a key."""
    return override.partition("=")[0].lstrip("+")


def _parse_levels(value: Any) -> list[str]:
    """Return the levels in a list; any other value is one level or one range."""
    return [_format_level(level) for level in (value if isinstance(value, list) else [value])]


def _format_level(value: Any) -> str:
    """Return a YAML value as it is written on the command line."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)
