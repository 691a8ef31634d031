"""Read the overrides and levels of a design file by the grammar of the command line."""

from collections.abc import Mapping
from typing import Any

from hydra.errors import HydraException

from clip_hparam.cli.hydra_app.grammar.keys import is_text
from clip_hparam.cli.hydra_app.grammar.levels import expand_level, split_design_levels
from clip_hparam.cli.hydra_app.grammar.references import has_reference
from clip_hparam.cli.hydra_app.grammar.words import parse_word, single
from clip_hparam.config.text.override_words import format_value, quote, unquote
from clip_hparam.design.ranges import parse_range


def read_design_tree(tree: Mapping[str, Any], *, is_search: bool) -> dict[str, Any]:
    """Return the content of a design file with overrides and levels as the command line has them.

    Texts of knobs are split into levels, ranges are listed, and text is quoted where it has to be.
    Levels of a search stay as they are written, because its id hashes them. Parts of a wrong shape
    are kept; `parse_design` rejects them.

    Raises:
        ValueError: an override that cannot be read, or that has several values; a reference as a
            level of a search.
    """
    read = split_design_levels(tree)
    if isinstance(read.get("base"), list):
        read["base"] = [_word(word) for word in read["base"]]
    if isinstance(read.get("steps"), list):
        read["steps"] = [_step(step) for step in read["steps"]]
    if isinstance(read.get("knobs"), Mapping) and is_search:
        refuse_references(read["knobs"])
    elif isinstance(read.get("knobs"), Mapping):
        read["knobs"] = {knob: _levels(str(knob), given) for knob, given in read["knobs"].items()}
    return read


def with_references(raw: Any, resolved: Any) -> Any:
    """Return a resolved tree in which texts refer to other keys again, for each cell to resolve."""
    if isinstance(resolved, Mapping) and isinstance(raw, Mapping):
        return {key: with_references(raw[key], value) for key, value in resolved.items()}
    if isinstance(resolved, list) and isinstance(raw, list):
        return [with_references(*pair) for pair in zip(raw, resolved, strict=True)]
    is_scalar = not isinstance(resolved, (Mapping, list))
    return raw if has_reference(raw) and is_scalar else resolved


def refuse_references(knobs: Mapping[str, Any]) -> None:
    """Raise ValueError for a level of a search that refers to another knob."""
    for knob, levels in knobs.items():
        for level in levels if isinstance(levels, (list, tuple)) else [levels]:
            if has_reference(level):
                raise ValueError(
                    f"{knob}={level} is a reference, and a search draws values: list levels or"
                    " give a range"
                )


def _word(word: Any) -> Any:
    return single(word) if isinstance(word, str) and word else word


def _step(step: Any) -> Any:
    if not isinstance(step, Mapping) or not isinstance(step.get("overrides"), list):
        return step
    return {**step, "overrides": [_word(word) for word in step["overrides"]]}


def _levels(knob: str, given: Any) -> Any:
    if not isinstance(given, list):
        return given
    return [text for level in given for text in _level(knob, level)]


def _level(knob: str, level: Any) -> list[Any]:
    """Return the texts of a level; a list of numbers for a function such as range(1, 4)."""
    if is_text(knob):
        return [_text_level(knob, level)]
    if not isinstance(level, str) or parse_range(level):
        return [level]
    return [_readable_level(text) for text in expand_level(knob, level)]


def _text_level(knob: str, level: Any) -> str:
    """Return the level of a text key in quotes where necessary.

    Raises:
        ValueError: a YAML value whose spelling is lost, such as 1e3 or yes.
    """
    if isinstance(level, str) and has_reference(level):
        return single(f"{knob}={level}").partition("=")[2]
    if isinstance(level, str):
        return format_value(unquote(level))
    if isinstance(level, bool) or not isinstance(level, int):
        raise ValueError(
            f"knob {knob}: {level} is not text in YAML, and {knob} is text: put it into quotes"
        )
    return quote(str(level))


def _readable_level(level: str) -> str:
    """Return a level of another key than text; quoted if Hydra does not read it as one value."""
    try:
        is_one = not parse_word(f"k={level}").is_sweep_override()
    except HydraException:
        is_one = False
    return level if is_one else quote(level)
