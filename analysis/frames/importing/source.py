"""Rows of another tool before their columns have roles, and the roles that its format proposes."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from clip_hparam.config.knob import suggest


class Roles(NamedTuple):
    """The columns by role; "" or (): no column has the role.

    minimize: None if unknown. minimized, maximized: metrics whose direction the source records.
    """

    knobs: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    objective: str = ""
    minimize: bool | None = None
    name: str = ""
    seed: str = ""
    state: str = ""
    minimized: tuple[str, ...] = ()
    maximized: tuple[str, ...] = ()


class Source(NamedTuple):
    """A table with a row per trial as a reader returns it.

    rows: each value is a text or None, so that ids and levels are kept as they are spelled.
    roles: those that the format records; empty where the user has to give them.
    notes: a sentence for each property of the source that a user must know.
    """

    format: str
    rows: pd.DataFrame
    roles: Roles = Roles()
    notes: tuple[str, ...] = ()
    decimal_commas: bool = False  # a number may be written with a comma, as 0,001


class TrialParts(NamedTuple):
    """A trial as a reader finds it: id and state, configuration, results."""

    head: Mapping[str, Any]
    knobs: Mapping[str, Any]
    results: Mapping[str, Any]


class JoinedTrials(NamedTuple):
    """A row per trial; `knobs` and `results` are the names of their columns."""

    rows: pd.DataFrame
    knobs: tuple[str, ...]
    results: tuple[str, ...]


class RepeatedKeyError(ValueError):
    """A key appears twice in one JSON object."""


def without_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object, as `object_pairs_hook` of `json.loads`.

    Raises:
        RepeatedKeyError: a key stands twice; json alone would take the last value.
    """
    tree: dict[str, Any] = {}
    for key, value in pairs:
        if key in tree:
            raise RepeatedKeyError(f"an object has the key {key} twice: keep one of them")
        tree[key] = value
    return tree


def refuse_twin_columns(path: Path, names: Iterable[str]) -> None:
    """Raise ValueError for two columns whose names look the same."""
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.setdefault(unicodedata.normalize("NFC", name).strip(), name)
        if twin != name:
            raise ValueError(
                f"{path} has two columns whose names look the same, {twin!a} and {name!a}: give one"
                " of them another name"
            )


def join_parts(trials: Sequence[TrialParts]) -> JoinedTrials:
    """Return the rows of trials, with a column of its own for each entry of each part.

    A knob called like an entry of the head becomes `config.NAME`, and a result called like a knob
    or like an entry of the head `result.NAME`, such as the last learning rate beside the first one.
    """
    heads, knobs, results = (dict.fromkeys(key for t in trials for key in t[n]) for n in range(3))
    knob_columns = {key: f"config.{key}" if key in heads else key for key in knobs}
    taken = {*heads, *knob_columns.values()}
    result_columns = {key: f"result.{key}" if key in taken else key for key in results}
    rows = text_frame(
        {
            **trial.head,
            **{knob_columns[key]: value for key, value in trial.knobs.items()},
            **{result_columns[key]: value for key, value in trial.results.items()},
        }
        for trial in trials
    )
    return JoinedTrials(rows, tuple(knob_columns.values()), tuple(result_columns.values()))


def text_frame(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return a frame of texts and None; columns in order of first appearance."""
    listed = list(rows)
    names = dict.fromkeys(name for row in listed for name in row)
    texts = {name: [to_text(row.get(name)) for row in listed] for name in names}
    return pd.DataFrame(texts, dtype=object)


def to_text(value: Any) -> str | None:
    """Return the value as text: 0.001, 64, True; None if it is missing."""
    if value is None or value is pd.NA or (not isinstance(value, str) and value != value):
        return None
    return value if isinstance(value, str) else str(value)


def flatten(tree: Mapping[str, Any], separator: str = ".") -> dict[str, Any]:
    """Return the leaves of nested mappings by joined keys: optimizer.lr. Lists stay values.

    Raises:
        ValueError: two leaves have one joined key.
    """
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            below = flatten(value, separator)
            added = {f"{key}{separator}{name}": leaf for name, leaf in below.items()}
        else:
            added = {str(key): value}
        if repeated := leaves.keys() & added.keys():
            raise ValueError(f"{min(repeated)} is there twice: as one key and as nested keys")
        leaves |= added
    return leaves


def find_column(name: str, known: Iterable[str]) -> str:
    """Return the name of an existing column.

    Raises:
        ValueError: it does not exist; the sentence names columns that end like it (optimizer.lr).
    """
    names = list(known)
    if name in names:
        return name
    ending = [other for other in names if _last_part(other) == _last_part(name)]
    advice = f"did you mean {' or '.join(ending[:3])}?" if ending else suggest(name, names)
    raise ValueError(f"there is no column {name}: {advice}")


def varied(rows: pd.DataFrame, names: Iterable[str]) -> tuple[str, ...]:
    """Return the columns with more than one level; all if none has."""
    listed = tuple(names)
    several = tuple(name for name in listed if rows[name].nunique(dropna=False) > 1)
    return several or listed


def _last_part(name: str) -> str:
    for separator in (".", "/", "params_"):
        name = name.rpartition(separator)[2]
    return name.strip().lower()
