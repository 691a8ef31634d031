"""Filter and sort trials by simple conditions, as `clip-hparam top` does: lr>1e-3, state=done.

A condition is COLUMN, one of = == != < <= > >=, and a value, in that order. It is compared as data
and never run as code. Columns are knobs, metrics (test_acc1: as reported; or the full name of a
column), `state`, `name`, and all other columns of the frame.
"""

import operator
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd

from clip_hparam.analysis.frames.frame import reported_values
from clip_hparam.analysis.frames.trial_table import is_numeric
from clip_hparam.config.knob import close_names
from clip_hparam.records.metrics import is_minimized
from clip_hparam.records.state import STATES

CONDITION = re.compile(r"\s*([^\s=!<>]+)\s*(==|=|!=|<=|>=|<|>)\s*(.*?)\s*", re.DOTALL)
OPERATORS: dict[str, Callable[[Any, Any], pd.Series]] = {
    "=": operator.eq, "==": operator.eq, "!=": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
ALIASES = {"state": "status", "name": "label", "seconds": "cost.seconds"}
REPORTED = tuple(
    f"{split}_{measure}" for split in ("test", "selection") for measure in ("acc1", "acc5", "loss")
)
TRUTH = {"true": True, "false": False}


class Condition(NamedTuple):
    """A comparison of a column with a value."""

    column: str
    symbol: str
    value: str

    def __str__(self) -> str:
        return f"{self.column}{self.symbol}{self.value}"


def parse_condition(text: str) -> Condition:
    """Return the condition in a text such as "lr>1e-3".

    Raises:
        ValueError: the text is no comparison of a column with a value.
    """
    match = CONDITION.fullmatch(text)
    if match is None or not match[3]:
        raise ValueError(
            f"--where {text!r} is not a comparison: type a column, one of = != < <= > >= and a"
            " value, as --where 'lr>1e-3' or --where state=done"
        )
    return Condition(match[1], match[2], match[3].strip("'\""))


def column_values(trials: pd.DataFrame, name: str) -> pd.Series:
    """Return a column by the name that people type.

    Raises:
        ValueError: there is no such column.
    """
    if name in REPORTED:
        return reported_values(trials, name)
    column = ALIASES.get(name, name)
    if column in trials:
        return trials[column]
    known = [*REPORTED, *ALIASES, *map(str, trials.columns)]
    close = close_names(name, known)
    hint = (
        f"did you mean {' or '.join(close)}?"
        if close
        else f"take a knob, {', '.join(REPORTED)}, {', '.join(ALIASES)}"
    )
    raise ValueError(f"trials have no column {name}: {hint}")


def matches(trials: pd.DataFrame, condition: Condition) -> pd.Series:
    """Return for each trial whether the condition holds; a missing value matches only "!=".

    Raises:
        ValueError: an unknown column or state, or a value of another type than the column.
    """
    values = column_values(trials, condition.column)
    if condition.column in ("state", "status") and condition.value not in STATES:
        raise ValueError(f"{condition}: a state is one of {', '.join(STATES)}")
    present = values.notna()
    compared = _compared(values[present], condition)
    result = pd.Series(condition.symbol == "!=", index=trials.index)
    result[present] = compared
    return result.astype(bool)


def best_first(trials: pd.DataFrame, column: str, reverse: bool = False) -> pd.DataFrame:
    """Return the trials sorted by a column, the best first and missing values last.

    Losses and costs are better if they are lower, other numbers if they are higher; a column of
    text is sorted by the alphabet. Ties keep their order.

    Raises:
        ValueError: there is no such column.
    """
    values = column_values(trials, column)
    full_name = ALIASES.get(column, column)
    if not is_numeric(values):
        values = values.astype("string")
        ascending = True
    else:
        values = values.astype(float)
        ascending = is_minimized(full_name)
    order = values.reset_index(drop=True).sort_values(
        ascending=ascending != reverse, kind="stable", na_position="last"
    )
    return trials.iloc[order.index]


def _compared(values: pd.Series, condition: Condition) -> pd.Series:
    """Compare present values with the condition's value in the type of the column."""
    compare = OPERATORS[condition.symbol]
    if values.empty:
        return values.astype(bool)
    if is_numeric(values):
        return compare(values.astype(float), _number(condition))
    if values.map(lambda value: isinstance(value, bool)).all():
        return compare(values.astype(bool), _truth(condition))
    if condition.symbol not in ("=", "==", "!="):
        raise ValueError(
            f"{condition}: {condition.column} holds text, which is compared with = or != only"
        )
    return compare(values.map(_as_text), condition.value)


def _number(condition: Condition) -> float:
    try:
        return float(condition.value)
    except ValueError:
        raise ValueError(
            f"{condition}: {condition.column} holds numbers, and {condition.value} is not one: type"
            f" a number, as {condition.column}{condition.symbol}1e-3"
        ) from None


def _truth(condition: Condition) -> bool:
    value = TRUTH.get(condition.value.lower())
    if value is None or condition.symbol not in ("=", "==", "!="):
        raise ValueError(f"{condition}: {condition.column} is compared with =true or =false")
    return value


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
