"""The table of a sweep's cells: unrounded numbers for csv and the same numbers as text."""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd

from clip_hparam.analysis.evidence.ablations import ABLATIONS, CONTROLS, Ablation
from clip_hparam.analysis.evidence.controls import control_evidence
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.evidence.images.image_level import by_images, without_unused
from clip_hparam.analysis.frames.frame import CELL_KNOBS, Frames
from clip_hparam.analysis.frames.labels import (
    MISSING_MARK,
    format_difference,
    format_done,
    format_interval,
    format_knob,
)
from clip_hparam.analysis.tables.footnotes import footnotes
from clip_hparam.config.text.numbers import format_number

CONTROLS_NOTE = (
    "Controls are cells of the sweep controls, in no difference and in no correction of the rungs:"
    " CLIP before any training (zero shot), the sixth rung's recipe with the head alone trained"
    " (linear probe), and the same recipe without pre-training (random weights)."
)


class Table(NamedTuple):
    """`data` is written as csv, `shown` is the text of the other formats, `bold` marks its cells.

    `shown` and `bold` have the same shape.
    """

    name: str
    title: str
    data: pd.DataFrame
    shown: pd.DataFrame
    bold: pd.DataFrame
    notes: list[str]


def cell_table(frames: Frames, ablation: Ablation) -> Table:
    """Return the table with one row per cell of the ablation's sweep.

    Raises:
        NotSweptError: the sweep has no record yet.
    """
    data = cell_evidence(frames, ablation)
    evidence = by_images(data)
    shown = pd.DataFrame(
        [_shown_row(row, ablation) for _, row in evidence.iterrows()], index=data.index, dtype="str"
    )
    if labels_are_levels(evidence[ablation.row]):
        shown = shown.drop(columns="what changed")
    shown = shown.loc[:, (shown != "").any()]
    bold = pd.DataFrame(False, index=shown.index, columns=shown.columns)
    if (column := _difference_title(ablation)) in bold:
        bold[column] = evidence["delta_excludes_zero"]
    notes = footnotes(frames, ablation, data)
    controls = _control_rows(control_evidence(frames, ablation), ablation)
    if len(controls):
        shown = pd.concat([shown, controls.reindex(columns=shown.columns)]).fillna("")
        bold = bold.reindex(index=shown.index, fill_value=False)
        notes.append(CONTROLS_NOTE)
    return Table(ablation.name, ablation.title, without_unused(data), shown, bold, notes)


def labels_are_levels(labels: Iterable[str]) -> bool:
    """Return whether all labels give levels of the same knobs, such as "lr=0.1,epochs=3".

    The column "what changed" would repeat them; the csv has it.
    """
    knobs = {tuple(part.partition("=")[0] for part in label.split(",")) for label in labels}
    return len(knobs) == 1 and set(*knobs) <= {*CELL_KNOBS}


def _control_rows(controls: pd.DataFrame, ablation: Ablation) -> pd.DataFrame:
    """Return the text of rows below a ladder: accuracy, seeds and cost, without a difference."""
    rows = []
    for _, row in controls.iterrows():
        cells = _shown_row(row, ABLATIONS[CONTROLS])
        kept = {ablation.metric_title, "seeds", "cost, s", "cost, GPU-h"} & cells.keys()
        label = f"control: {str(row['control']).replace('_', ' ')}"
        rows.append({ablation.row: label, **{name: cells[name] for name in kept}})
    index = [f"control {number}" for number in range(len(rows))]
    return pd.DataFrame(rows, index=index, dtype="str")


def _shown_row(row: pd.Series, ablation: Ablation) -> dict[str, str]:
    """Return the text of a row by column title; columns empty in all rows are not printed."""
    count = format_done(row["n"], row["asked"])
    spec = f".{ablation.digits}f"
    level = format_interval(row[ablation.metric], row["ci_low"], row["ci_high"], spec)
    named_by_label = ablation.imported or not ablation.knobs
    has_cost = not ablation.imported or not math.isnan(row["seconds"])
    cost = {"cost, s": _format_cost(row["seconds"]) if has_cost else ""}
    if row["gpu_hours"] > 0:
        cost = {"cost, GPU-h": _format_cost(row["gpu_hours"])}
    return {
        ablation.row: "" if _label_repeats_knobs(row, ablation) else str(row[ablation.row]),
        **{knob: _format_level(row[knob]) for knob in ablation.knobs if not named_by_label},
        "what changed": "" if ablation.knobs else row.get("changed", ""),
        ablation.metric_title: (
            f"{MISSING_MARK} ({count})" if math.isnan(row[ablation.metric]) else level
        ),
        "rows" if ablation.imported else "seeds": count,
        _difference_title(ablation): _difference_cell(row, ablation.digits),
        **cost,
        **_paper_columns(row),
        "differs": row["differs"],
    }


def _label_repeats_knobs(row: pd.Series, ablation: Ablation) -> bool:
    """Return whether the label only repeats the columns of the knobs, as "lr=0.003" does."""
    label_knobs = [part.partition("=")[0] for part in str(row[ablation.row]).split(",")]
    repeated = bool(ablation.knobs) and tuple(label_knobs) == ablation.knobs
    return repeated and not ablation.imported


def _paper_columns(row: pd.Series) -> dict[str, str]:
    agrees = "" if pd.isna(row["sign_agrees"]) else "yes" if row["sign_agrees"] else "no"
    return {
        "paper, %": format_number(row["paper_acc1"], ".1f"),
        "paper Δ": format_number(row["paper_delta"], "+.1f"),
        "paper, V100-h": format_number(row["paper_v100_hours"], ".1f"),
        "sign agrees": agrees if row["delta_excludes_zero"] or not agrees else f"({agrees})",
    }


def _difference_title(ablation: Ablation) -> str:
    before = f"the {ablation.row} before" if ablation.against == "previous" else "the first"
    return f"Δ to {before}"


def _difference_cell(row: pd.Series, digits: int) -> str:
    if row["delta_why"] == "first row":
        return ""
    return format_difference(row["delta"], row["delta_low"], row["delta_high"], digits)


def _format_cost(value: float) -> str:
    """Return a cost with three digits, such as 12.0 or 1.60; without a point from 100 on."""
    if math.isnan(value):
        return MISSING_MARK
    return f"{value:.0f}" if value >= 99.95 else f"{value:#.3g}"


def _format_level(value: Any) -> str:
    return MISSING_MARK if pd.isna(value) else format_knob(value)
