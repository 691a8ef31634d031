"""Levels of knobs, split by Hydra's grammar on the command line and in design files.

Levels stay texts: the id of a search hashes them, and `design.ranges.parse_range` reads ranges.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from hydra.core.override_parser.overrides_visitor import HydraErrorListener
from hydra.core.override_parser.types import Override
from hydra.grammar.gen.OverrideLexer import (  # type: ignore[attr-defined]
    CommonTokenStream,
    InputStream,
    OverrideLexer,
)
from hydra.grammar.gen.OverrideParser import OverrideParser

from clip_hparam.design.design import Cell, merged_overrides
from clip_hparam.design.expand import validate_no_ranges

Levels = dict[str, list[str]]


def override_levels(override: Override) -> list[str]:
    """Return the levels of a swept key as Hydra prints them (1e-3 as 0.001); a range is one."""
    if not override.is_discrete_sweep():
        return [str(override.input_line).partition("=")[2]]
    return [str(level) for level in override.sweep_string_iterator()]


def split_levels(text: str) -> list[str]:
    """Split "0, interval(0.2, 1)", "[0, 1]" or "choice(0, 1)" into its levels, as they are written.

    A range and a single value are one level.

    Raises:
        HydraException: the text is not in Hydra's grammar.
    """
    source = InputStream(f"knob={text.strip()}")
    lexer = OverrideLexer(source)
    parser: Any = OverrideParser(CommonTokenStream(lexer))
    for recognizer in (lexer, parser):
        recognizer.removeErrorListeners()
        recognizer.addErrorListener(HydraErrorListener())
    value = parser.override().value()
    if value is None:
        return [""]
    elements = _split(value)
    return [source.getText(e.start.start, e.stop.stop).strip(" '\"") for e in elements]


def split_design_levels(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a design file with its knobs' texts split into lists of levels.

    Knobs of a wrong type are kept; `parse_design` rejects them.
    """
    knobs = tree.get("knobs")
    if not isinstance(knobs, Mapping):
        return dict(tree)
    split = {k: split_levels(v) if isinstance(v, str) else v for k, v in knobs.items()}
    return {**tree, "knobs": split}


def cross_cells(cells: Sequence[Cell], levels: Mapping[str, Sequence[str]]) -> Iterator[Cell]:
    """Yield each cell at each combination of further levels; ValueError for a range."""
    validate_no_ranges(levels)
    for cell in cells:
        for values in product(*levels.values()):
            more = tuple(f"{knob}={value}" for knob, value in zip(levels, values, strict=True))
            yield Cell(",".join((cell.label, *more)), merged_overrides(cell.overrides, more))


def _split(value: Any) -> list[Any]:
    """Return the elements of a parsed value: those of a choice or a list, else the only one."""
    sweep = value.simpleChoiceSweep()
    if sweep:
        return list(sweep.element())
    only = value.element()
    function = only.function()
    is_choice = function and function.ID().getText() == "choice"
    container = only.listContainer() or (function if is_choice else None)
    return list(container.element()) if container else [only]
