"""Where the labels of cells, titles and names of metrics may be broken into lines."""

import re
import textwrap

AFTER_SEPARATOR = re.compile(r"(?<=[,+])(?=[^\W\d])")  # in labels: "lr=0.1,|epochs=5", not "1,000"
UNIT, KEPT_UNIT = " %", "\N{NO-BREAK SPACE}%"


class _LabelWrapper(textwrap.TextWrapper):
    """Break also after the separators of a label, which have no space behind them."""

    def _split(self, text: str) -> list[str]:
        return [part for word in super()._split(text) for part in AFTER_SEPARATOR.split(word)]


def break_lines(text: str, characters: int, hyphens: bool = True) -> list[str]:
    """Return the lines of a text, at most so many characters long where words allow it.

    The unit "%" stays on the line of the word before it.

    hyphens: whether a line may end with a hyphen of the text.
    """
    wrapper = _LabelWrapper(characters, break_long_words=False, break_on_hyphens=hyphens)
    return [line.replace(KEPT_UNIT, UNIT) for line in wrapper.wrap(text.replace(UNIT, KEPT_UNIT))]
