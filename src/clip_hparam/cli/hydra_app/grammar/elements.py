"""The elements of a value in Hydra's grammar, as texts that keep the spelling of the source."""

from typing import Any

from hydra.core.override_parser.overrides_visitor import HydraErrorListener
from hydra.grammar.gen.OverrideLexer import (  # type: ignore[attr-defined]
    CommonTokenStream,
    InputStream,
    OverrideLexer,
)
from hydra.grammar.gen.OverrideParser import OverrideParser


def element_texts(text: str) -> list[str]:
    """Return the elements of "0, interval(0.2, 1)", "[0, 1]" or "choice(0, 1)", quotes included.

    A range and a single value are one element.

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
    return [source.getText(e.start.start, e.stop.stop).strip() for e in elements]


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
