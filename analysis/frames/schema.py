"""Schema of the frames, checked by pandera; docs/frame.md documents the columns.

`FRAME_VERSION` increases when a column is renamed, removed or changes its meaning, not when a
column is added. `clip-hparam gather` checks the frames and writes the version into them.
"""

from typing import TYPE_CHECKING, Any

import pandas as pd

from clip_hparam.analysis.frames.frame import METRIC_COLUMNS, Frames
from clip_hparam.analysis.frames.trial_reader import DAMAGED, UNKNOWN
from clip_hparam.config.recipe import knobs
from clip_hparam.records.metrics import ROUNDING_ERROR, is_percentage
from clip_hparam.records.state import STATES

if TYPE_CHECKING:
    from pandera.pandas import Check, Column, DataFrameSchema

FRAME_VERSION = 1
MAX_NAMED_ROWS = 5  # values that a message lists


def schema_violations(frames: Frames) -> list[str]:
    """Return a sentence for each violation of the schema."""
    trials, epochs = trials_schema(frames.imported is not None), epochs_schema(frames.trials)
    violations = [*_violations(trials, frames.trials), *_violations(epochs, frames.epochs)]
    not_done = frames.trials[frames.trials["status"] != "done"]
    with_metric = not_done[not_done[list(METRIC_COLUMNS)].notna().any(axis=1)]
    if len(with_metric):
        violations.append(f"{_first_values(with_metric['trial_id'])}: not done, but with a metric")
    return violations


def trials_schema(imported: bool = False) -> "DataFrameSchema":
    """Return the schema of `trials`.

    imported: rows of an imported table are among the trials; their names may repeat, and a knob may
    have any type.
    """
    from pandera.pandas import Check, Column, DataFrameSchema  # lazy: pandera, 0.6 s

    knob_columns: dict[Any, Column] = {} if imported else _knob_columns()
    columns: dict[Any, Column] = {
        "trial_id": Column(unique=not imported),
        "label": Column(nullable=True),
        "status": Column(checks=Check.isin([*STATES, DAMAGED, UNKNOWN])),
        "folder": Column(nullable=imported),
        **{name: Column(float, _metric_check(name), nullable=True) for name in METRIC_COLUMNS},
        "selected_weights": Column(checks=Check.isin(["raw", "ema"]), nullable=True),
        **{
            name: Column(checks=Check.ge(0), nullable=True, coerce=False)
            for name in ("epochs.selected", "epochs.last", "cost.seconds", "cost.gpu_hours")
        },
    }
    return DataFrameSchema({**columns, **knob_columns}, strict=False, name="trials")


def epochs_schema(trials: pd.DataFrame) -> "DataFrameSchema":
    """Return the schema of `epochs`: each row belongs to one of `trials`."""
    from pandera.pandas import Check, Column, DataFrameSchema

    return DataFrameSchema(
        {
            "trial_id": Column(checks=Check.isin(set(trials["trial_id"]))),
            "epoch": Column(checks=Check.ge(0)),
            "step": Column(checks=Check.gt(0), nullable=True),
            "lr": Column(checks=Check.ge(0), nullable=True),
            "wait": Column(checks=Check.in_range(0, 1), nullable=True, required=False),
            "selection_acc1.(raw|ema)": Column(
                checks=_percentage_check(), nullable=True, regex=True, required=False
            ),
        },
        unique=["trial_id", "epoch"],
        name="epochs",
    )


def _knob_columns() -> "dict[Any, Column]":
    """Return a column per knob; a numeric knob must have a numeric dtype."""
    from pandera.pandas import Check, Column

    numbers = Check(
        lambda values: pd.api.types.is_numeric_dtype(values), name="numbers", error="a number"
    )
    return {
        name: Column(checks=[numbers] if knob.type in (int, float) else [], nullable=True)
        for name, knob in knobs().items()
        if knob.metadata["hashed"]
    }


def _metric_check(name: str) -> Any:
    from pandera.pandas import Check

    return _percentage_check() if is_percentage(name) else Check.ge(0)


def _percentage_check() -> "Check":
    """Return a check for percentages; epoch rows of old records exceed 100 by a rounding error."""
    from pandera.pandas import Check

    return Check.in_range(-ROUNDING_ERROR, 100 + ROUNDING_ERROR)


def _violations(schema: "DataFrameSchema", frame: pd.DataFrame) -> list[str]:
    from pandera.errors import SchemaErrors

    if frame.empty:
        missing = [name for name, column in schema.columns.items() if column.required]
        return [f"{schema.name}: no column {name}" for name in missing if name not in frame]
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases
        groups = cases.fillna({"column": "rows"}).groupby(["column", "check"], sort=False)
        return [
            f"{schema.name}: {column} breaks {check}: {_first_values(rows['failure_case'])}"
            for (column, check), rows in groups
        ]
    return []


def _first_values(values: pd.Series) -> str:
    texts = list(dict.fromkeys(map(str, values)))
    more = f" and {len(texts) - MAX_NAMED_ROWS} more" if len(texts) > MAX_NAMED_ROWS else ""
    return ", ".join(texts[:MAX_NAMED_ROWS]) + more
