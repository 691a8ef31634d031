"""docs/reference/frame_schema.md: the columns of the frames with their types and checks."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from clip_hparam.analysis.frames.frame import METRIC_COLUMNS
from clip_hparam.analysis.frames.schema import FRAME_VERSION, epochs_schema, trials_schema
from clip_hparam.cli.reference_pages.markdown import code, page, table
from clip_hparam.config.recipe import knobs

INTRODUCTION = f"""\
Version {FRAME_VERSION} of the frames, as `clip-hparam gather` checks them. [The
frames](../frame.md) explains the columns; a frame may have more columns than these."""
KNOB_TYPES: dict[Any, str] = {int: "whole number", float: "number", str: "text"}
CHECKS = {"isin": "one of", "in_range": "from", "greater_than": "above"}
CHECKS |= {"greater_than_or_equal_to": "at least"}


def frame_page() -> str:
    """Return the page."""
    trials = trials_schema()
    names = [name for name in trials.columns if name not in METRIC_COLUMNS and name not in knobs()]
    epochs = epochs_schema(pd.DataFrame({"trial_id": []}))
    head = ["column", "type", "may be empty", "check"]
    return page(
        "Schema of the frames",
        INTRODUCTION,
        "## trials",
        table(head, _rows(trials, names)),
        "### Metrics\n\nFloat; empty unless the trial is done; accuracies are percentages from 0 to"
        " 100, losses at least 0.",
        table(["columns"], ([code(f"{stem}.{{selected,last,best}}")] for stem in _metric_stems())),
        "### Knobs\n\nThe value after planning, so never `auto`.",
        table(["column", "type"], _knob_rows()),
        "## epochs\n\n`trial_id` and `epoch` together are unique.",
        table(head, _rows(epochs, list(epochs.columns))),
    )


def _metric_stems() -> Iterator[str]:
    yield from dict.fromkeys(name.rpartition(".")[0] for name in METRIC_COLUMNS)


def _rows(schema: Any, names: list[str]) -> Iterator[list[str]]:
    for name in names:
        column = schema.columns[name]
        optional = "" if column.required else " (optional)"
        checks = "; ".join(
            f"{CHECKS.get(check.name, check.name)} {_arguments(check)}".strip()
            for check in column.checks
        )
        unique = "unique" if column.unique else ""
        yield [
            f"`{name}`{optional}",
            str(column.dtype or ""),
            "yes" if column.nullable else "no",
            "; ".join(filter(None, (unique, checks))),
        ]


def _arguments(check: Any) -> str:
    """Return the arguments of a check; the trial ids of `trials` are no constants."""
    given = check.statistics or {}
    if "allowed_values" in given:
        return ", ".join(map(str, given["allowed_values"])) or "trials.trial_id"
    numbers = (value for value in given.values() if type(value) in (int, float))
    return " to ".join(f"{value:g}" for value in numbers)


def _knob_rows() -> Iterator[list[str]]:
    for name, knob in knobs().items():
        if knob.metadata["hashed"]:
            yield [code(name), KNOB_TYPES.get(knob.type, "number or text")]
