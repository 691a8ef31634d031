"""What the frames promise, checked by pandera; docs/frame.md says it in words.

`VERSION` is raised when a column is renamed, dropped or comes to mean something else; a new column
leaves it. Frames that leave the program (`clip-hparam gather`) are checked and carry it.
"""

from typing import TYPE_CHECKING, Any

import pandas as pd

from clip_hparam.analysis.frames.frame import METRIC_COLUMNS, Frames
from clip_hparam.analysis.frames.trial_reader import DAMAGED, UNKNOWN
from clip_hparam.config.recipe import knobs
from clip_hparam.records.state import STATES

if TYPE_CHECKING:
    from pandera.pandas import Column, DataFrameSchema

FRAME_VERSION = 1
MAX_NAMED_ROWS = 5  # rows that a sentence names


def schema_violations(frames: Frames) -> list[str]:
    """A sentence for each promise that a frame breaks; none in frames of sound records."""
    trials, epochs = trials_schema(frames.imported is not None), epochs_schema(frames.trials)
    found = [*_violations(trials, frames.trials), *_violations(epochs, frames.epochs)]
    unmeasured = frames.trials[frames.trials["status"] != "done"]
    early = unmeasured[unmeasured[list(METRIC_COLUMNS)].notna().any(axis=1)]
    if len(early):
        found.append(f"{_first_values(early['trial_id'])}: not done, but with a metric")
    return found


def trials_schema(imported: bool = False) -> "DataFrameSchema":
    """A row a trial; names of imported rows may repeat, and their columns be what they were."""
    from pandera.pandas import Check, Column, DataFrameSchema  # 0.6 s, and only here

    ours: dict[Any, Column] = {} if imported else _knob_columns()
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
    return DataFrameSchema({**columns, **ours}, strict=False, name="trials")


def epochs_schema(trials: pd.DataFrame) -> "DataFrameSchema":
    """A row an epoch of a trial that is in the other frame."""
    from pandera.pandas import Check, Column, DataFrameSchema

    return DataFrameSchema(
        {
            "trial_id": Column(checks=Check.isin(set(trials["trial_id"]))),
            "epoch": Column(checks=Check.ge(0)),
            "step": Column(checks=Check.gt(0), nullable=True),
            "lr": Column(checks=Check.ge(0), nullable=True),
            "selection_acc1.(raw|ema)": Column(
                checks=Check.in_range(0, 100), nullable=True, regex=True, required=False
            ),
        },
        unique=["trial_id", "epoch"],
        name="epochs",
    )


def _knob_columns() -> "dict[Any, Column]":
    """Numbers for a knob of numbers: a level is never compared as text."""
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

    return Check.in_range(0, 100) if "_acc" in name else Check.ge(0)


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
