"""Ranges of a knob, in the grammar of Hydra's sweepers. Standard library only.

    interval(0, 0.2)                    uniform
    tag(log, interval(1e-4, 1e-2))      uniform in the logarithm
    int(interval(5, 40))                integers, both ends included; also with tag(log, ...)

Designs, manifests and the command line keep the text of a range, and `parse_range` is its only
parser: the hash of a search covers the text, and workers read it without Hydra.
"""

import math
import re
from dataclasses import dataclass

NUMBER_PATTERN = r"\s*(?:{name}\s*=)?\s*([-+.\d_eE]+|[-+]?inf)\s*"
ENDS_PATTERN = ",".join(NUMBER_PATTERN.format(name=name) for name in ("start", "end"))
RANGE_PATTERN = re.compile(
    rf"\s*(int\(\s*)?(tag\(\s*log\s*,\s*)?(int\(\s*)?interval\({ENDS_PATTERN}\)[\s)]*"
)
LIKE_RANGE_PATTERN = re.compile(r"\s*(\w+\s*\(.*)?interval\s*\(.*\)\s*", re.DOTALL)
RANGE_FORMS = "interval(LOW,HIGH), int(interval(5,40)) or tag(log,interval(1e-4,1e-2))"
MIN_DIGITS = 4
MIN_VALUES = 100  # values that rounding leaves between the ends of a range


@dataclass(frozen=True)
class Range:
    """An interval from low to high; `log`: uniform in the logarithm, `whole`: integers only."""

    low: float
    high: float
    log: bool
    whole: bool

    @property
    def ends(self) -> tuple[float, float]:
        """Both ends, as int if the range is whole."""
        return (int(self.low), int(self.high)) if self.whole else (self.low, self.high)

    @property
    def digits(self) -> int:
        """Significant digits of a value: four, or more where four leave too few values.

        interval(0.9999, 0.99999) has one value of four digits between its ends; it gets seven.
        """
        magnitude = math.ceil(math.log10(max(abs(self.low), abs(self.high))))
        step = math.log10((self.high - self.low) / MIN_VALUES)
        return max(MIN_DIGITS, math.ceil(magnitude - step))

    def rounded(self, value: float) -> float:
        """Return the value with `digits` significant digits, inside the range."""
        return min(max(float(f"{value:.{self.digits}g}"), self.low), self.high)

    def value_at(self, position: float) -> str:
        """Return the value at a position in [0, 1) as text, rounded to `digits`."""
        value = self.exact_value_at(position)
        if self.whole:
            return str(min(int(value), int(self.high)))
        text = f"{value:.{self.digits}g}"
        return text if self.low <= float(text) <= self.high else repr(self.rounded(value))

    def exact_value_at(self, position: float) -> float:
        """Return the value at a position in [0, 1), not rounded; up to high + 1 if `whole`."""
        high = self.high + 1 if self.whole else self.high
        if not self.log:
            return self.low + position * (high - self.low)
        if math.isfinite(high / self.low):
            return float(self.low * (high / self.low) ** position)
        return math.exp(math.log(self.low) + position * (math.log(high) - math.log(self.low)))


def parse_range(text: str) -> Range | None:
    """Return the range in a text, None if the text is a level.

    Raises:
        ValueError: a range that is empty, infinite or misspelled, a logarithm of 0 or less, or
            integers with fractional ends.
    """
    match = RANGE_PATTERN.fullmatch(text)
    if match is None or text.count("(") != text.count(")"):
        if LIKE_RANGE_PATTERN.fullmatch(text):
            raise ValueError(f"{text} is not a range: write {RANGE_FORMS}")
        return None
    log, whole = bool(match[2]), bool(match[1] or match[3])
    try:
        low, high = float(match[4]), float(match[5])
    except ValueError:
        raise ValueError(f"{text} is not a range: write {RANGE_FORMS}") from None
    is_finite = math.isfinite(high - low)
    if not low < high or not is_finite or (log and low <= 0) or (whole and (low % 1 or high % 1)):
        rule = "its low end below its high one, finite, above 0 with log, whole numbers with int"
        advice = f": try interval({match[5]},{match[4]})" if low > high else ""
        raise ValueError(f"{text} is not a range: it needs {rule}{advice}")
    return Range(low, high, log, whole)
