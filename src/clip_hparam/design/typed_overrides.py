"""Cells to which overrides apply that are typed with a design: its steps may set the same keys.

Standard library only.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from clip_hparam.config.recipe import knobs
from clip_hparam.config.text.override_words import quote, sweep_program
from clip_hparam.design.design import Cell, Design, key_of, merged_overrides
from clip_hparam.design.expand import KINDS, expand_design
from clip_hparam.design.knob_levels import parse_knob_range

MAX_NAMES = 3
TYPED = "=\0typed"
"""Stands for a typed value, which a step may set as well."""


def reach_notes(design: Design, typed: Sequence[str]) -> list[str]:
    """Return a sentence for each typed override that some cells keep and others do not.

    A cell whose steps set the typed value, as the winners of a study do, keeps it.

    design: `typed` is part of its base.

    Raises:
        ValueError: an override that no cell keeps.
    """
    of_steps = [word for word in typed if _steps_with(design, key_of(word))]
    if not of_steps:
        return []
    marked = [f"{key_of(word)}{TYPED}" for word in of_steps]
    cells = expand_design(replace(design, base=merged_overrides(design.base, marked)))
    notes = (_reach_note(design, *pair, cells) for pair in zip(of_steps, marked, strict=True))
    return [note for note in notes if note]


def replaced_step_notes(
    design: Design, cells: Sequence[Cell], crossed: Mapping[str, Sequence[str]]
) -> list[str]:
    """Return a sentence for each swept key that replaces what steps set.

    cells: those of the design, each of which runs at every level of the keys in `crossed`.

    Raises:
        ValueError: without these keys, cells of the design are equal.
    """
    notes = []
    for key, levels in crossed.items():
        if not (steps := _steps_with(design, key)):
            continue
        word = f"{key}={','.join(levels)}"
        if groups := list(_equal_without(cells, key)):
            raise ValueError(
                f"{word} replaces the {key} that steps of {design.name} set, so that the cells"
                f" {_listed(groups[0])} are one: leave it out, or run it alone:"
                f" {sweep_program()} -m {shlex.quote(word)} seeds=3"
            )
        notes.append(f"{word} replaces the {key} that {_named_steps(steps)} {_sets(steps)}")
    return notes


def refuse_added_ranges(design: Design, crossed: Mapping[str, Sequence[str]]) -> None:
    """Raise ValueError for a typed range of a knob that a design with ranges does not draw."""
    if not KINDS[design.kind].takes_ranges:
        return
    for knob, levels in crossed.items():
        for level in levels:
            if (bounds := parse_knob_range(knob, level)) is None:
                continue
            is_whole = knob in knobs() and knobs()[knob].type is int and not bounds.whole
            drawn = f"int({level})" if is_whole else level
            key = "" if "." in knob else f"+hydra.sweeper.design.knobs.{knob}={quote(drawn)}"
            place = f" by {shlex.quote(key)}" if key else ""
            raise ValueError(
                f"{knob}={level} is a range, and {design.name} draws {', '.join(design.knobs)}"
                f" only: list levels, or add the knob to the design{place}"
            )


def refuse_searched(study: Design, typed: Sequence[str]) -> None:
    """Raise ValueError for a typed override of a knob that the stages of a study vary."""
    if words := [word for word in typed if key_of(word) in study.knobs]:
        raise ValueError(
            f"study {study.name} varies {key_of(words[0])}, so {words[0]} would apply to"
            " some stages only: leave it out, or take the knob out of the design"
        )


def _reach_note(design: Design, word: str, mark: str, cells: Sequence[Cell]) -> str:
    """Return the sentence about an override that some cells keep; empty if all do."""
    key, steps = key_of(word), _steps_with(design, key_of(word))
    if not any(mark in cell.overrides for cell in cells):
        raise ValueError(
            f"{word} applies to no cell of {design.name}: {_named_steps(steps)} {_sets(steps)}"
            f" {key};"
            f" leave it out, or run it alone: {sweep_program()} -m {shlex.quote(word)} seeds=3"
        )
    kept = [cell.label for cell in cells if not {mark, word}.isdisjoint(cell.overrides)]
    if len(kept) == len(cells):
        return ""
    steps = [
        step.label for step in design.steps if step.label in steps and word not in step.overrides
    ]
    return (
        f"{word} applies to {len(kept)} of {len(cells)} cells ({_listed(kept)}): in the others"
        f" {_named_steps(steps)} {_sets(steps)} {key}"
    )


def _steps_with(design: Design, key: str) -> list[str]:
    """Return the labels of the steps that set a key."""
    return [step.label for step in design.steps if key in map(key_of, step.overrides)]


def _equal_without(cells: Sequence[Cell], key: str) -> Iterator[list[str]]:
    """Yield the labels of different cells that are equal but for a key."""
    alike: dict[frozenset[str], dict[frozenset[str], str]] = {}
    for cell in cells:
        rest = frozenset(word for word in cell.overrides if key_of(word) != key)
        alike.setdefault(rest, {}).setdefault(frozenset(cell.overrides), cell.label)
    yield from (list(labels.values()) for labels in alike.values() if len(labels) > 1)


def _named_steps(labels: Sequence[str]) -> str:
    return f"{'step' if len(labels) == 1 else 'steps'} {_listed(labels)}"


def _sets(labels: Sequence[str]) -> str:
    return "sets" if len(labels) == 1 else "set"


def _listed(labels: Sequence[str]) -> str:
    """Return "a, b and c", or the first names and how many more there are."""
    if len(labels) > MAX_NAMES + 1:
        return f"{', '.join(labels[:MAX_NAMES])} and {len(labels) - MAX_NAMES} more"
    return " and ".join(filter(None, (", ".join(labels[:-1]), labels[-1])))
