"""Levels of knobs, split by Hydra's grammar on the command line and in design files.

Levels stay texts: the id of a search hashes them, and `design.ranges.parse_range` reads ranges.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import product
from typing import Any

from hydra.core.override_parser.types import Override, QuotedString, RangeSweep
from hydra.errors import HydraException

from clip_hparam.cli.hydra_app.grammar.elements import element_texts
from clip_hparam.cli.hydra_app.grammar.keys import is_text
from clip_hparam.cli.hydra_app.grammar.references import has_reference
from clip_hparam.cli.hydra_app.grammar.words import parse_word
from clip_hparam.config.text.override_words import format_value
from clip_hparam.design.design import Cell, merged_overrides
from clip_hparam.design.expand import validate_no_ranges

Levels = dict[str, list[str]]
MAX_LEVELS = 1_000_000
SORTED_RANGE = re.compile(
    r"sort\(\s*(?P<range>range\([^()]*\))\s*(,\s*reverse\s*=\s*(?P<reverse>\w+)\s*)?\)"
)
FUNCTION = re.compile(r"(?:\w+\s*\(\s*)*(?:range|sort|shuffle|glob)\s*\(")
"""Functions that list levels; interval stays a range."""


def override_levels(override: Override) -> list[str]:
    """Return the levels of a swept key as Hydra prints them (1e-3 as 0.001); an interval is one.

    Raises:
        ValueError: a glob of a key that is no group, a shuffled order, or no level at all.
    """
    if levels := _listed_levels(override):
        return levels
    raise ValueError(f"{override.input_line} gives no level: list the levels")


def first_word(override: Override) -> str:
    """Return an override as it is typed; of a list of levels the override of the first."""
    if not override.is_discrete_sweep():
        return str(override.input_line)
    return f"{override.key_or_group}={override_levels(override)[0]}"


def _listed_levels(override: Override) -> list[str]:
    key, text = override.key_or_group, str(override.input_line).partition("=")[2]
    if not override.is_discrete_sweep():
        return [text]
    if re.search(r"\bshuffle\s*\(", text):
        raise ValueError(
            f"{key}={text} gives the cells another order each time, and the first cell is the"
            " reference: list the levels"
        )
    if isinstance(override._value, RangeSweep):
        return [str(number) for number in _numbers(key, text, override._value)]
    try:
        return [_level_text(level) for level in override.sweep_iterator()]
    except (IndexError, HydraException):
        raise ValueError(
            f"{key}={text} chooses files of a config group, which is for groups on the command"
            " line: list the levels"
        ) from None


def split_levels(text: str, knob: str = "knob") -> list[str]:
    """Split "0, interval(0.2, 1)", "[0, 1]" or "choice(0, 1)" into its levels, as they are written.

    An interval and a single value are one level; range(1, 4) and sort(...) are listed.

    Raises:
        HydraException: the text is not in Hydra's grammar.
        ValueError: a glob, or a shuffled order.
    """
    return [level for element in element_texts(text) for level in expand_level(knob, element)]


def expand_level(knob: str, text: str) -> list[str]:
    """Return the levels that a function such as range(1, 4) lists; any other text is one level."""
    if not FUNCTION.match(text):
        return [text.strip(" '\"")]
    return override_levels(parse_word(f"{knob}={text}"))


def split_design_levels(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a design file with its knobs' texts split into lists of levels.

    Knobs of a wrong type are kept; `parse_design` rejects them.
    """
    knobs = tree.get("knobs")
    if not isinstance(knobs, Mapping):
        return dict(tree)
    split = {k: _split_text(str(k), v) if isinstance(v, str) else v for k, v in knobs.items()}
    return {**tree, "knobs": split}


def _split_text(knob: str, text: str) -> list[str]:
    """Return the levels in a text of a design file; an unreadable path without commas is one."""
    try:
        return split_levels(text, knob)
    except HydraException:
        if is_text(knob) and "," not in text:
            return [text]
        raise ValueError(
            f"knob {knob}: {text!r} cannot be read as levels: write a list, {knob}: [first, second]"
        ) from None


def cross_cells(cells: Sequence[Cell], levels: Mapping[str, Sequence[str]]) -> Iterator[Cell]:
    """Yield each cell at each combination of further levels; ValueError for a range."""
    validate_no_ranges(levels)
    for cell in cells:
        for values in product(*levels.values()):
            more = tuple(f"{knob}={value}" for knob, value in zip(levels, values, strict=True))
            yield Cell(",".join((cell.label, *more)), merged_overrides(cell.overrides, more))


def _level_text(element: Any) -> str:
    """Return a parsed level as the text of an override; numbers as Python prints them."""
    if isinstance(element, QuotedString):
        return element.with_quotes()
    if has_reference(element):
        return str(element)
    if isinstance(element, bool) or element is None:
        return str(format_value(element))
    return format_value(element) if isinstance(element, str) else _plain_text(element)


def _plain_text(element: Any) -> str:
    return str(Override._get_value_element_as_str(element))


def _numbers(key: str, text: str, sweep: RangeSweep) -> list[int | float]:
    """Return the numbers of a range, computed in decimal; Hydra 1.3 adds binary fractions.

    There, range(0.5,0.9,0.1) ends with 0.9, and a sorted range has other numbers than the range.
    """
    matched = SORTED_RANGE.fullmatch(text.strip())
    if matched:
        inner: Any = parse_word(f"{key}={matched['range']}")._value
        return sorted(_exact(inner), reverse=(matched["reverse"] or "false").lower() == "true")
    if re.search(r"\bsort\s*\(", text):
        raise ValueError(f"{key}={text} sorts a range inside another function: list the levels")
    return _exact(sweep)


def _exact(sweep: RangeSweep) -> list[int | float]:
    start, stop, step = (Decimal(repr(end)) for end in (sweep.start, sweep.stop, sweep.step))
    if not step:
        raise ValueError("a range needs a step other than 0")
    if (stop - start) / step > MAX_LEVELS:
        raise ValueError(f"range({start},{stop},{step}) lists over {MAX_LEVELS:,} levels")
    is_whole = all(isinstance(end, int) for end in (sweep.start, sweep.stop, sweep.step))
    numbers: list[int | float] = []
    value = start
    while (value < stop) if step > 0 else (value > stop):
        numbers.append(int(value) if is_whole else float(value))
        value += step
    return numbers
