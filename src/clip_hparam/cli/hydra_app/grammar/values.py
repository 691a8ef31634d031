"""Values of overrides in the types of their keys, for single trials and sweeps alike."""

import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any

from hydra.core.override_parser.types import Glob, Override, OverrideType, QuotedString, Sweep

from clip_hparam.cli.hydra_app.grammar.keys import (
    GROUPS,
    is_text,
    key_fields,
    unknown_key,
)
from clip_hparam.cli.hydra_app.grammar.references import has_reference
from clip_hparam.config.knob import AUTO, validated
from clip_hparam.config.text.override_words import format_override, format_value

BOOLEANS = ("true", "false", "yes", "no", "on", "off", "y", "n", "1", "0")
"""Texts that OmegaConf takes for a bool, in lower case."""
FILE = re.compile(r"\.ya?ml$|^[.~]?/|^\.\./")
NUMBER = re.compile(r"[-+]?(\d[\d_]*)?\.?\d[\d_]*(e[-+]?\d+)?", re.IGNORECASE)


def typed_value(key: str, element: Any) -> Any:
    """Return a parsed element as the value of a key; a quoted number becomes a number.

    Raises:
        ValueError: null for a key that is text.
    """
    if element is None and is_text(key) and key_fields()[key].type is str:
        raise ValueError(
            f"{key}=null is not text: leave {key} out, or type"
            f" {shlex.quote(format_override(key, 'null'))}"
        )
    if not isinstance(element, QuotedString):
        return element
    text = element.text
    if is_text(key) or not _takes_numbers(key) or not NUMBER.fullmatch(text):
        return text
    return int(text) if re.fullmatch(r"[-+]?\d+", text) else float(text)


def override_value(override: Override) -> Any:
    """Return the typed value of an override that is no sweep."""
    return typed_value(override.key_or_group, override._value)


def word_mistakes(overrides: Iterable[Override]) -> Iterator[str]:
    """Yield a sentence for each key and each value that no trial can have."""
    for override in overrides:
        if override.key_or_group == "hydra/sweeper" and override.value() != "ablation":
            yield f"{override.input_line} runs no design or search: leave it out"
        key = override.key_or_group
        is_code = key.rpartition(".")[2] == "_target_"
        if is_code:
            yield f"{override.input_line} names code to run, which no key takes: leave it out"
        if is_code or override.is_hydra_override():
            continue
        mistake = _key_mistake(override)
        if mistake:
            yield mistake
        elif key in key_fields() and override.type is not OverrideType.DEL:
            yield from value_mistakes(key, elements_of(override))


def value_mistakes(key: str, elements: Iterable[Any]) -> Iterator[str]:
    """Yield a sentence for each element that is no legal value of a key."""
    field = key_fields()[key]
    if "legal" not in field.metadata:
        if field.type is bool:
            yield from (
                f"{key}={_shown(element)} is neither true nor false"
                for element in elements
                if str(_shown(element)).lower() not in BOOLEANS and not has_reference(element)
            )
        return
    for element in elements:
        if isinstance(element, list) and element and not is_text(key):
            levels = f"{key}={','.join(map(format_value, map(_shown, element)))}"
            yield f"{key}={format_value(element)} is a list: for levels type -m {levels}"
            continue
        try:
            value = typed_value(key, element)
            if not has_reference(value):
                validated(key, value, field)
        except ValueError as error:
            yield str(error)


def elements_of(override: Override) -> list[Any]:
    """Return the parsed levels of an override, or its only value; nothing for ranges and globs."""
    value = override._value
    if isinstance(value, Glob):
        return []
    if not isinstance(value, Sweep):
        return [value]
    return list(getattr(value, "list", ()))


def _key_mistake(override: Override) -> str:
    """Return the sentence about a key that this form of override cannot change; else empty."""
    key, word = override.key_or_group, str(override.input_line)
    plain = word.lstrip("+~").replace(f"@{override.package}", "")
    if "/" in key:
        group, _, rest = key.partition("/")
        value = plain.partition("=")[2]
        known = group in GROUPS and override.package is None
        return f"{key} is not a group: type {group}={rest}/{value}" if known else ""
    if key in GROUPS and override.type is OverrideType.DEL:
        return f"~{key} deletes a group of every trial: type {key}=NAME, or leave it out"
    if key in GROUPS and override.type is OverrideType.ADD:
        return f"{word} adds a group that exists: type {plain}"
    if key in GROUPS and not _names_option(override):
        return f"{word} names no option: leave {key} out, or name one"
    if key in GROUPS and isinstance(override._value, list):
        return f"{word} names a list of options, and one holds: type {key}={override._value[0]}"
    if key in GROUPS and FILE.search(str(override.value())):
        return _is_file(key, str(override.value()))
    if key not in key_fields():
        is_new = override.type is not OverrideType.CHANGE or override.package is not None
        return "" if key in GROUPS or (is_new and "." not in key) else unknown_key(key)
    if override.package is not None:
        return f"{word}: {key} is a knob and has no package; type {plain}"
    if override.type is OverrideType.DEL:
        return f"~{key} deletes a knob of every trial: leave it out"
    if isinstance(override._value, Glob):
        return f"{word} chooses files of a config group, and {key} is none: list the levels"
    if override.type is OverrideType.ADD:
        return f"{word} adds a key that exists: type {plain}"
    return ""


def _names_option(override: Override) -> bool:
    value = override._value
    return isinstance(value, (str, QuotedString, list, Sweep, Glob)) and value not in ("", [])


def _is_file(group: str, text: str) -> str:
    """Return the sentence about a file that is given where the name of an option is needed."""
    path = PurePath(text)
    folder = path.parent.parent if path.parent.name == group else PurePath("FOLDER")
    command = f"--config-dir {shlex.quote(str(folder))} {group}={path.stem}"
    where = "" if path.parent.name == group else f"put it into FOLDER/{group}/, and "
    return (
        f"{group}={text} is a file, and {group} takes the name of an option: {where}type {command}"
    )


def _takes_numbers(key: str) -> bool:
    field = key_fields().get(key)
    legal = field.metadata.get("legal", "") if field else ""
    return legal.removeprefix(f"{AUTO} | ")[:1] in ("(", "[")


def _shown(element: Any) -> Any:
    return element.text if isinstance(element, QuotedString) else element
