"""Refuse a malformed design before anything trains, with one sentence for each mistake.

Standard library only.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from clip_hparam.config.knob import suggest
from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.records.manifests.names import MAX_NAME_LENGTH, is_too_long

NAME_PATTERN = re.compile(r"\w[\w.=-]*")
STEPS_SHAPE = "steps: [{label: NAME, overrides: [lr=1e-3]}]"
INVISIBLE = "\u00ad\u200b\u200e\u200f\u2060\ufeff"
"""Characters without width, which make two labels that look the same."""
STEP_KEYS = ("label", "overrides")
KEY_PATTERN = re.compile(r"\+{0,2}[^\W\d][\w.@/:$-]*")
NOT_OF_TRIALS = frozenset({field.name for field in fields(SweepOptions)} | {"machine", "hydra"})
"""Top-level keys of the driver and of Hydra: a design's cells cannot set them."""


def validate_tree(tree: Mapping[str, Any]) -> None:
    """Raise ValueError if a design file does not have the shape of a design; list all mistakes."""
    mistakes = [
        *_name_mistakes(tree.get("name")),
        *_base_mistakes(tree.get("base")),
        *_knob_mistakes(tree.get("knobs")),
        *_step_mistakes(tree.get("steps")),
        *_when_mistakes(tree.get("when")),
    ]
    if mistakes:
        raise ValueError("\n".join(f"design {tree.get('name')}: {text}" for text in mistakes))


def validate_name(name: str) -> None:
    """Raise ValueError for a `name=` that cannot name the files of a sweep."""
    if mistakes := _name_mistakes(name):
        raise ValueError(f"name={name}: {mistakes[0]}")


def normalized_label(label: Any) -> str:
    """Return a label as it is shown: composed Unicode, single spaces, none at its ends."""
    return " ".join(unicodedata.normalize("NFC", str(label)).split())


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
    rule = "letters, digits and . - = _, beginning with a letter or digit"
    if not isinstance(name, str):
        return [f"name {name!r} is not text: quote it, name: '{name}'"]
    if not NAME_PATTERN.fullmatch(name):
        return [f"name {name!r} cannot name a file: use {rule}"]
    if is_too_long(name):
        return [f"the name has {len(name)} characters: use at most {MAX_NAME_LENGTH}"]
    return []


def _base_mistakes(base: Any) -> list[str]:
    if base is None:
        return []
    if not _is_list_of_texts(base):
        return [f"base is {base!r}: write a list of overrides, base: [lr=1e-3, epochs=5]"]
    return list(_override_mistakes("base", base))


def _knob_mistakes(knobs: Any) -> list[str]:
    if knobs is None:
        return []
    if not isinstance(knobs, Mapping):
        return [f"knobs is {knobs!r}: write a mapping, knobs: {{lr: [1e-3, 3e-3]}}"]
    mistakes: list[str] = []
    for knob, levels in knobs.items():
        each = levels if isinstance(levels, list | tuple) else [levels]
        mistakes += _key_mistakes("knobs", str(knob))
        if not each or any(level is None or level == "" for level in each):
            mistakes.append(f"knob {knob} has no level: write {knob}: [first, second]")
        elif any(isinstance(level, Mapping | list) for level in each):
            mistakes.append(f"knob {knob} has a nested level {levels!r}: write plain values")
    return mistakes


def _step_mistakes(steps: Any) -> list[str]:
    if steps is None:
        return []
    if not isinstance(steps, list):
        return [f"steps is {steps!r}: write a list, {STEPS_SHAPE}"]
    mistakes: list[str] = []
    for number, step in enumerate(steps, start=1):
        if not isinstance(step, Mapping):
            mistakes.append(f"step {number} is {step!r}: write a mapping, {STEPS_SHAPE}")
            continue
        name = f"step {number} ({step.get('label', 'no label')!s})"
        mistakes += [
            f"{name}: key {key}: {suggest(str(key), STEP_KEYS)}"
            for key in step
            if key not in STEP_KEYS
        ]
        mistakes += _label_mistakes(name, step.get("label"))
        if _is_list_of_texts(step.get("overrides")):
            mistakes += _override_mistakes(name, step["overrides"])
        else:
            given = step.get("overrides")
            mistakes.append(f"{name}: overrides is {given!r}: write a list, overrides: [lr=1e-3]")
    return [*mistakes, *_equal_label_mistakes(steps)]


def _label_mistakes(step: str, label: Any) -> Iterator[str]:
    if isinstance(label, bool):
        yield f"{step}: YAML reads the label as {str(label).lower()}: quote it, label: 'on'"
    elif not isinstance(label, str | int | float) or not normalized_label(label):
        yield f"{step} has no label: write {STEPS_SHAPE}"
    elif any(unicodedata.category(character) == "Cc" for character in str(label)):
        yield f"step label {label!r} has a line break or control character: write it on one line"
    elif any(character in INVISIBLE for character in str(label)):
        yield f"step label {label!a} has an invisible character: type the label again"


def _equal_label_mistakes(steps: Iterable[Any]) -> Iterator[str]:
    """Yield a sentence for each label of several steps; labels that look the same are equal."""
    labels = [
        normalized_label(s["label"]) for s in steps if isinstance(s, Mapping) and "label" in s
    ]
    for label in dict.fromkeys(label for label in labels if labels.count(label) > 1):
        yield f"{labels.count(label)} steps are called {label!r}: give each its own label"


def _when_mistakes(when: Any) -> Iterator[str]:
    if when is not None and not isinstance(when, Mapping):
        yield f"when is {when!r}: write a mapping, when: {{cutmix: mixup}}"


def _override_mistakes(place: str, overrides: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for each text that is no override, and for each key that is given twice."""
    known: dict[str, str] = {}
    for override in overrides:
        key, equals, _ = override.partition("=")
        if override.startswith("~"):
            continue  # Hydra deletes a key; the schema refuses it with its own sentence
        if not equals or not KEY_PATTERN.fullmatch(key):
            yield f"{place}: {override!r} is not an override: write knob=value without spaces"
            continue
        yield from _key_mistakes(place, key)
        name = key.lstrip("+")
        if known.setdefault(name, override) != override:
            yield f"{place}: {name} is given twice, {known[name]} and {override}: keep one"


def _key_mistakes(place: str, key: str) -> Iterator[str]:
    if not KEY_PATTERN.fullmatch(key):
        yield f"{place}: {key!r} is not a name of a knob: write {{lr: [1e-3, 3e-3]}}"
    if re.split(r"[./]", key.lstrip("+"))[0] in NOT_OF_TRIALS:
        here = (
            "seeds: 3 at the top level of the file"
            if key == "seeds"
            else f"{key}=... on the command line"
        )
        yield f"{place}: {key} is not a knob of a trial, and cells cannot set it: write {here}"


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)
