"""Read JSON lines or one JSON array of objects; nested objects become dotted columns.

Also recognises the results of the repository mlfoundations/model-soups, one model per line:
{"model_name": "model_0", "ImageNet2p": 0.78, "ImageNet": 0.75, ...}, fractions without any knob.
"""

import json
from pathlib import Path
from typing import Any

from clip_hparam.analysis.frames.importing.levels import to_numbers
from clip_hparam.analysis.frames.importing.readers.delimited import read_text
from clip_hparam.analysis.frames.importing.source import (
    RepeatedKeyError,
    Roles,
    Source,
    flatten,
    text_frame,
    without_repeated_keys,
)

SOUPS_NAME, SOUPS_HELD_OUT = "model_name", "ImageNet2p"


class NumberText(str):
    """A number as it is spelled."""


def read_json_rows(path: Path) -> Source:
    """Read a file with an object per row. Numbers keep their spelling, so that ids do.

    Raises:
        ValueError: a line is no object.
    """
    text = read_text(path)
    if text.lstrip().startswith("["):
        trees = _parse(text, "the file")
    else:
        lines = enumerate(text.split("\n"), start=1)  # a text may hold other line separators
        trees = [_parse(line, f"line {number}") for number, line in lines if line.strip()]
    for number, tree in enumerate(trees, start=1):
        if not isinstance(tree, dict):
            raise ValueError(f"line {number} is not an object")
    return _recognise(Source("jsonl", text_frame(_to_row(tree) for tree in trees)))


def _parse(text: str, place: str) -> Any:
    try:
        return json.loads(
            text,
            parse_float=NumberText,
            parse_int=NumberText,
            parse_constant=NumberText,
            object_pairs_hook=without_repeated_keys,
        )
    except RepeatedKeyError as error:
        raise ValueError(f"{place}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{place} is not JSON: {error}") from None


def _to_row(tree: dict[str, Any]) -> dict[str, Any]:
    """Return the row; a list as JSON text, an empty object as a missing value."""
    leaves = flatten(tree)
    return {k: _list_text(v) if isinstance(v, list) else v for k, v in leaves.items()}


def _list_text(value: Any) -> str:
    """Return a list as JSON text, its numbers as they are spelled."""
    if isinstance(value, list):
        return f"[{', '.join(map(_list_text, value))}]"
    if isinstance(value, dict):
        entries = (f"{json.dumps(key)}: {_list_text(entry)}" for key, entry in value.items())
        return f"{{{', '.join(entries)}}}"
    return value if isinstance(value, NumberText) else json.dumps(value)


def _recognise(source: Source) -> Source:
    rows = source.rows
    if SOUPS_NAME not in rows or SOUPS_HELD_OUT not in rows:
        return source
    metrics = [str(name) for name in rows if name != SOUPS_NAME]
    try:
        for name in metrics:
            to_numbers(rows[name])
    except ValueError:
        return source
    accuracies = tuple(metrics)
    roles = Roles((), accuracies, SOUPS_HELD_OUT, name=SOUPS_NAME, maximized=accuracies)
    note = f"{SOUPS_HELD_OUT}, held out of the training images, ranks the models"
    return source._replace(format="soups", roles=roles, notes=(note,))
