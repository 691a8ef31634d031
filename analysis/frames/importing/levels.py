"""Convert columns of text: ids stay text, knobs become numbers or levels, metrics numbers.

A column of a knob is numeric if it has a number and otherwise only words for a missing value. In
any other column each text is a level, also "None" and "NA". Codes such as 007 and numbers with more
digits than a float keeps are levels, since 007 and 7 would be one number.
"""

import math
import re
from collections.abc import Iterable

import pandas as pd

from clip_hparam.analysis.frames.importing.source import to_text

MISSING_WORDS = frozenset({"", "none", "null", "na", "n/a", "<na>", "nan", "-nan"})
NOT_FINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
COMMA_NUMBER = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.IGNORECASE)
POINT_NUMBER = re.compile(r"[+-]?\d*\.\d+(e[+-]?\d+)?", re.IGNORECASE)
CODE = re.compile(r"[+-]?0\d")
WHOLE_NUMBER = re.compile(r"[+-]?\d+")
MAX_SEED = 2**63 - 1  # that a column of integers keeps
MAX_DIGITS = 15  # that a float keeps


def to_ids(values: pd.Series) -> list[str | None]:
    """Return names of rows as they are spelled; whole floats of a typed table without ".0"."""
    if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    return [to_text(value) for value in values]


def to_levels(values: pd.Series, decimal: str = ".") -> pd.Series:
    """Return the levels of a knob as int64, float64 (NaN: missing) or text (None: missing)."""
    if _is_number_type(values) and not (values.abs() == math.inf).any():
        return values
    texts = [to_text(value) for value in values]
    numbers = [None if _is_missing(text) else _to_number(text, decimal) for text in texts]
    present = [not _is_missing(text) for text in texts]
    if not any(present):
        all_none = all(text is None or not text.strip() for text in texts)
        return _float_series(numbers, values) if all_none else _text_series(texts, values)
    if any(
        number is None for number, is_present in zip(numbers, present, strict=True) if is_present
    ):
        return _text_series(texts, values)
    if all(present) and all(WHOLE_NUMBER.fullmatch(str(text).strip()) for text in texts):
        whole = [int(str(text)) for text in texts]
        return pd.Series(whole, index=values.index, name=values.name, dtype="int64")
    return _float_series(numbers, values)


def to_numbers(values: pd.Series, decimal: str = ".") -> pd.Series:
    """Return a metric as floats; NaN for a missing word and for an infinite number.

    Raises:
        ValueError: a value is no number; the sentence names it.
    """
    if _is_number_type(values):
        numbers = values.astype(float)
        return numbers.where(numbers.abs() < math.inf)
    converted = []
    for value in values:
        text = to_text(value)
        known = (
            text is not None and not _is_missing(text) and not NOT_FINITE.fullmatch(text.strip())
        )
        number = _parse(text, decimal) if known and not isinstance(value, bool) else None
        if known and number is None:
            raise ValueError(f"{values.name} is not a metric: {value!r} is not a number")
        converted.append(number)
    return _float_series(converted, values)


def to_seeds(values: pd.Series) -> pd.Series:
    """Return seeds as integers, pd.NA where missing.

    Names of replicates, and seeds of more than 63 bits, become 0, 1, 2, ...
    """
    texts = [to_text(value) for value in values]
    present = {text for text in texts if text is not None and not _is_missing(text)}
    numbers = {text: _parse(text, ".") for text in present}
    whole = {
        text: int(text) if WHOLE_NUMBER.fullmatch(text.strip()) else int(number)
        for text, number in numbers.items()
        if number is not None and number.is_integer()
    }
    is_number = len(whole) == len(present) and all(abs(n) <= MAX_SEED for n in whole.values())
    codes = whole if is_number else {text: n for n, text in enumerate(sorted(present))}
    seeds = [codes.get(text) if text is not None else None for text in texts]
    return pd.Series(seeds, index=values.index, name=values.name, dtype="Int64")


def decimal_mark(columns: Iterable[pd.Series]) -> str:
    """Return "," if some numbers of the columns are written with a comma and none with a point."""
    texts = {
        text.strip() for column in columns for text in column.dropna() if isinstance(text, str)
    }
    comma = any(COMMA_NUMBER.fullmatch(text) for text in texts)
    return "," if comma and not any(POINT_NUMBER.fullmatch(text) for text in texts) else "."


def _is_number_type(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _is_missing(text: str | None) -> bool:
    return text is None or text.strip().lower() in MISSING_WORDS


def _to_number(text: str | None, decimal: str) -> float | None:
    """Return the number in a level; None for text, codes, and numbers that a float cannot keep."""
    stripped = str(text).strip()
    mantissa = re.split("e", stripped, flags=re.IGNORECASE)[0]
    digits = re.sub(r"\D", "", mantissa).lstrip("0")
    too_long = WHOLE_NUMBER.fullmatch(mantissa) is not None and len(digits) > MAX_DIGITS
    return None if CODE.match(stripped) or too_long else _parse(stripped, decimal)


def _parse(text: str | None, decimal: str) -> float | None:
    """Return the finite number that the text spells, else None."""
    stripped = str(text).strip()
    if decimal == ",":
        stripped = stripped.replace(",", ".", 1) if "." not in stripped else stripped
    if not NUMBER.fullmatch(stripped):
        return None
    number = float(stripped)
    return number if math.isfinite(number) else None


def _float_series(numbers: list[float | None], like: pd.Series) -> pd.Series:
    return pd.Series(numbers, index=like.index, name=like.name, dtype=float)


def _text_series(texts: list[str | None], like: pd.Series) -> pd.Series:
    return pd.Series(texts, index=like.index, name=like.name, dtype=object)
