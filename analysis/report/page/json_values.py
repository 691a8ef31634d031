"""JSON values of numbers and texts: rounded, without NaN, safe inside a script element."""

import json
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

SIGNIFICANT_DIGITS = 6


def number(value: Any, digits: int = SIGNIFICANT_DIGITS) -> float | int | None:
    """Return the number with so many significant digits; None for NaN, infinity and missing."""
    if value is None or value is pd.NA:
        return None
    finite = float(value)
    if not math.isfinite(finite):
        return None
    if finite.is_integer() and abs(finite) < 1e15:
        return int(finite)
    return float(f"{finite:.{digits}g}")


def numbers(values: Iterable[Any], digits: int = SIGNIFICANT_DIGITS) -> list[float | int | None]:
    """Return each value as `number` does."""
    return [number(value, digits) for value in values]


def decimals(values: "pd.Series | np.ndarray", places: int) -> list[float | None]:
    """Return the values rounded to decimal places; None for NaN and infinity."""
    array = np.round(np.asarray(values, dtype=float), places)
    finite = np.isfinite(array)
    return [
        value if ok else None for value, ok in zip(array.tolist(), finite.tolist(), strict=True)
    ]


def script_json(tree: Any) -> str:
    """Return JSON that a script element holds: no character of it ends the element."""
    text = json.dumps(tree, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
