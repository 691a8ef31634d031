"""Refuse a malformed design before anything trains, with one sentence for each mistake.

Standard library only.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from clip_hparam.config.knob import suggest
from clip_hparam.records.manifest import MAX_NAME_LENGTH, is_too_long

NAME_PATTERN = re.compile(r"\w[\w.=-]*")
STEP_KEYS = ("label", "overrides")


def validate_tree(tree: Mapping[str, Any]) -> None:
    """Raise ValueError if a design file does not have the shape of a design; list all mistakes."""
    mistakes = [
        *_name_mistakes(tree.get("name")),
        *_base_mistakes(tree.get("base")),
        *_knob_mistakes(tree.get("knobs")),
        *_step_mistakes(tree.get("steps")),
    ]
    if mistakes:
        raise ValueError("\n".join(f"design {tree.get('name')}: {text}" for text in mistakes))


def validate_name(name: str) -> None:
    """Raise ValueError for a `name=` that cannot name the files of a sweep."""
    if mistakes := _name_mistakes(name):
        raise ValueError(f"name={name}: {mistakes[0]}")


def validate_labels(design: str, cells: Iterable[tuple[str, tuple[str, ...]]]) -> None:
    """Raise ValueError if two cells with different overrides have the same label.

    cells: label and overrides of each cell. Cells that are equal in both are run once and allowed.
    """
    known: dict[str, tuple[str, ...]] = {}
    for label, overrides in cells:
        if known.setdefault(label, overrides) != overrides:
            raise ValueError(
                f"design {design}: two different cells are called {label!r}:"
                f" {' '.join(known[label])} and {' '.join(overrides)}; give each its own label"
            )


def _name_mistakes(name: Any) -> list[str]:
    if not isinstance(name, str) or not NAME_PATTERN.fullmatch(name):
        rule = "letters, digits and . - = _, beginning with a letter or digit"
        return [f"name {name!r} cannot name a file: use {rule}"]
    if is_too_long(name):
        return [f"the name has {len(name)} characters: use at most {MAX_NAME_LENGTH}"]
    return []


def _base_mistakes(base: Any) -> list[str]:
    if base is None or _is_list_of_overrides(base):
        return []
    return [f"base is {base!r}: write a list of overrides, base: [lr=1e-3, epochs=5]"]


def _knob_mistakes(knobs: Any) -> list[str]:
    if knobs is None:
        return []
    if not isinstance(knobs, Mapping):
        return [f"knobs is {knobs!r}: write a mapping, knobs: {{lr: [1e-3, 3e-3]}}"]
    mistakes = []
    for knob, levels in knobs.items():
        each = levels if isinstance(levels, list) else [levels]
        if not each:
            mistakes.append(f"knob {knob} has no level: write {knob}: [first, second]")
        elif any(isinstance(level, Mapping | list) for level in each):
            mistakes.append(f"knob {knob} has a nested level {levels!r}: write plain values")
    return mistakes


def _step_mistakes(steps: Any) -> list[str]:
    if steps is None:
        return []
    shape = "steps: [{label: NAME, overrides: [lr=1e-3]}]"
    if not isinstance(steps, list):
        return [f"steps is {steps!r}: write a list, {shape}"]
    mistakes = []
    for number, step in enumerate(steps, start=1):
        if not isinstance(step, Mapping):
            mistakes.append(f"step {number} is {step!r}: write a mapping, {shape}")
            continue
        name = f"step {number} ({step.get('label', 'no label')})"
        mistakes += [
            f"{name}: key {key}: {suggest(key, STEP_KEYS)}" for key in step if key not in STEP_KEYS
        ]
        if not isinstance(step.get("label"), str | int | float) or not str(step["label"]).strip():
            mistakes.append(f"{name} has no label: write {shape}")
        if not _is_list_of_overrides(step.get("overrides")):
            given = step.get("overrides")
            mistakes.append(f"{name}: overrides is {given!r}: write a list, overrides: [lr=1e-3]")
    labels = [str(step["label"]) for step in steps if isinstance(step, Mapping) and "label" in step]
    for label in dict.fromkeys(label for label in labels if labels.count(label) > 1):
        mistakes.append(
            f"{labels.count(label)} steps are called {label!r}: give each its own label"
        )
    return mistakes


def _is_list_of_overrides(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)
