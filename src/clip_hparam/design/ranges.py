"""Ranges of a knob, in the grammar of Hydra's sweepers.

    interval(0, 0.2)                    uniform
    tag(log, interval(1e-4, 1e-2))      uniform in the logarithm
    int(interval(5, 40))                whole numbers, ends included; also inside tag(log, ...)

Standard library only.
"""

import re
from dataclasses import dataclass

NUMBER_PATTERN = r"\s*([-+.\deE]+)\s*"
RANGE_PATTERN = re.compile(
    rf"\s*(tag\(\s*log\s*,\s*)?(int\(\s*)?interval\({NUMBER_PATTERN},{NUMBER_PATTERN}\)[\s)]*"
)
SIGNIFICANT_DIGITS = 4


@dataclass(frozen=True)
class Range:
    """From low to high."""

    low: float
    high: float
    log: bool
    whole: bool

    def at(self, place: float) -> str:
        """The value at a place in [0, 1), to four significant digits, as on the command line."""
        high = self.high + 1 if self.whole else self.high
        if self.log:
            value = self.low * (high / self.low) ** place
        else:
            value = self.low + place * (high - self.low)
        return str(int(value)) if self.whole else f"{value:.{SIGNIFICANT_DIGITS}g}"


def parse_range(text: str) -> Range | None:
    """None for what is no range. Raises ValueError for a range that is empty or cannot be drawn."""
    match = RANGE_PATTERN.fullmatch(text)
    if match is None or text.count("(") != text.count(")"):
        return None
    log, whole = bool(match[1]), bool(match[2])
    low, high = float(match[3]), float(match[4])
    if not low < high or (log and low <= 0) or (whole and (low % 1 or high % 1)):
        rule = "its low end below its high one, above 0 with log, whole numbers with int"
        raise ValueError(f"{text} is no range: it needs {rule}")
    return Range(low, high, log, whole)
