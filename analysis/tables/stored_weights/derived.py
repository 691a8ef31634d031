"""The table `derived`: results of stored weights without training, next to their trials."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from clip_hparam.analysis.evidence.beyond_test.stored_results import stored_results
from clip_hparam.analysis.evidence.replicates import NotSweptError
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.labels import MISSING_MARK, format_difference, format_interval
from clip_hparam.analysis.stats.intervals import Estimate, estimate
from clip_hparam.analysis.tables.cell_table import Table
from clip_hparam.analysis.tables.registry import frame_table
from clip_hparam.analysis.tables.stored_weights.rows import TRAINED, DerivedRow, derived_rows
from clip_hparam.config.identity import shorten
from clip_hparam.records.derived import read_derived

DERIVED_TITLE = "Results of stored weights, without training"
COLUMNS = list(DerivedRow._fields)
FURTHER = (
    ("outside_acc1", "out of distribution, %", ".2f"),
    ("known_before", "known before, %", ".2f"),
    ("known_acc1", "and after, %", ".2f"),
    ("test_ece", "ECE", ".3f"),
)
"""Column of a row, its title and format; not shown if no result has a value."""
MEAN_NOTE = (
    "Mean ± half of the 95 % t interval over seeds. Δ: paired by seed, to the reported weights of"
    " the trial, of a soup to those of its best trial on the selection set."
)
ONE_SEED_NOTE = (
    "A row of one seed has no ±: more seeds of its cell give an interval, and until then a Δ cannot"
    " be told from noise."
)
FURTHER_NOTES = (
    (
        "outside_acc1",
        "Out of distribution: the mean over the sets of eval_sets and data.shift.",
    ),
    (
        "known_acc1",
        "Known before, and after: CLIP's own zero-shot classifier on what it knew, before"
        " fine-tuning and with these weights.",
    ),
)
"""Column of a row, and the note that it needs where it is shown."""
CHOICE_NOTE = (
    "The selection set alone selects: epochs, the alpha of WiSE-FT, the order and the members of a"
    " greedy soup, the temperature. The csv has a row per result with the ids of its trials; the"
    " sha256 of their weights are in runs/.derived/ID/result.json."
)


def has_derived(frames: Frames) -> bool:
    """Return whether the runs folder of the frames has a derived result."""
    return next(read_derived(Path(frames.runs)), None) is not None


@frame_table("derived", has_derived)
def derived_table(frames: Frames) -> Table:
    """Return the table with a row per source, kind and parameters; the csv has one per result.

    Raises:
        NotSweptError: no derived result is on record.
    """
    rows = derived_rows(frames, stored_results(Path(frames.runs)))
    if not rows:
        raise NotSweptError(
            "no result of stored weights is on record: type clip-hparam wise-ft TRIAL,"
            " clip-hparam soup or clip-hparam temperature TRIAL"
        )
    data = pd.DataFrame(rows, columns=COLUMNS)
    groups: dict[tuple[str, str, str], list[DerivedRow]] = {}
    for row in rows:
        groups.setdefault((row.source, row.kind, row.parameters), []).append(row)
    order = [
        (key, pd.DataFrame(groups[key], columns=COLUMNS))
        for key in sorted(groups, key=lambda key: _order(*key))
    ]
    shown = pd.DataFrame([_shown_row(*key, group) for key, group in order], dtype="str")
    shown = shown.drop(columns=[title for name, title, _ in FURTHER if data[name].isna().all()])
    bold = pd.DataFrame(False, index=shown.index, columns=shown.columns)
    bold["Δ"] = [_difference(group).excludes_zero for _, group in order]
    return Table("derived", DERIVED_TITLE, data, shown, bold, list(_notes(data, order)))


def _notes(
    data: pd.DataFrame, groups: Iterable[tuple[tuple[str, str, str], pd.DataFrame]]
) -> Iterator[str]:
    yield MEAN_NOTE
    if any(len(group) == 1 for _, group in groups):
        yield ONE_SEED_NOTE
    yield from (note for name, note in FURTHER_NOTES if data[name].notna().any())
    yield CHOICE_NOTE


def _order(source: str, kind: str, parameters: str) -> tuple[str, bool, str, str]:
    return source, not kind.startswith(TRAINED), kind, parameters


def _shown_row(source: str, kind: str, parameters: str, group: pd.DataFrame) -> dict[str, str]:
    level = _estimate(group["test_acc1"])
    delta = _difference(group)
    is_trained = kind.startswith(TRAINED) and bool(
        (group["test_acc1"] == group["trained_acc1"]).all()
    )
    ids = [name for name in group["derived_id"] if name]
    return {
        "of": shorten(source),
        "kind": kind,
        "parameters": parameters,
        "test accuracy, %": format_interval(level.mean, level.low, level.high),
        "Δ": "" if is_trained else format_difference(delta.mean, delta.low, delta.high),
        **{title: _level(group[name], spec) for name, title, spec in FURTHER},
        "test loss": _mean(group["test_loss"]),
        "seeds": str(len(group)),
        "results": " ".join(ids) if ids else "records",
    }


def _difference(group: pd.DataFrame) -> Estimate:
    return _estimate(group["test_acc1"] - group["trained_acc1"])


def _estimate(values: pd.Series) -> Estimate:
    """Return the estimate over seeds; NaN with a missing value."""
    if values.isna().any():
        return Estimate(math.nan, math.nan, math.nan, math.nan, len(values), "a value is missing")
    return estimate(values)


def _level(values: pd.Series, spec: str) -> str:
    level = _estimate(values)
    if math.isnan(level.mean):
        return MISSING_MARK
    return format_interval(level.mean, level.low, level.high, spec)


def _mean(values: pd.Series) -> str:
    return MISSING_MARK if values.isna().any() else f"{values.mean():.3f}"
