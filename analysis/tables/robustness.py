"""The table of accuracy in distribution, out of distribution, and on what CLIP knew before.

Its sets are those of the driver key `eval_sets`, and `data.shift`. None of them selects anything.
"""

import math
from typing import NamedTuple

import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.replicates import Replicates, replicates
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.labels import MISSING_MARK, format_interval
from clip_hparam.analysis.stats.intervals import Estimate, estimate
from clip_hparam.analysis.tables.registry import sweep_table
from clip_hparam.analysis.tables.table import Table

SHIFT = "test_shift"
ROBUSTNESS_NOTE = (
    "Mean ± half of the 95 % t interval over seeds, at the epoch that the selection set chose."
    " Out of distribution: the mean over {outside}."
)
KNOWN_NOTE = (
    "Known before: accuracy of CLIP's own zero-shot classifier on {known}, with the trained tower"
    " (after) and with the pre-trained one (before)."
)
DIFFERENT_NOTE = "Cells differ in the images of {names}, and their numbers cannot be compared."


class ExtraSets(NamedTuple):
    """Prefixes of the metric columns of the sets, such as "eval.sketch."."""

    outside: list[str]
    known: list[str]


@sweep_table("robustness")
def robustness_table(frames: Frames, ablation: Ablation) -> Table | None:
    """Return the table; None if no trial has such a set.

    Raises:
        NotSweptError: the sweep has no record yet.
    """
    cells = replicates(frames, ablation)
    sets = _extra_sets(pd.concat([cell.trials for cell in cells]))
    if not any(sets):
        return None
    data = pd.DataFrame([_row(cell, sets) for cell in cells])
    columns = {"test": "in distribution, %"}
    if sets.outside:
        columns["outside"] = "out of distribution, %"
    if sets.known:
        columns |= {"known_before": "known before, %", "known_after": "and after, %"}
    columns["ece"] = "ECE"
    shown = pd.DataFrame({ablation.row: data["cell"]}, dtype="str")
    for name, title in columns.items():
        shown[title] = _texts(data, name, ".3f" if name == "ece" else ".2f")
    bold = pd.DataFrame(False, index=shown.index, columns=shown.columns)
    title = f"{ablation.title}: robustness, and what CLIP knew before"
    return Table(f"{ablation.name}_robustness", title, data, shown, bold, _notes(cells, sets))


def _extra_sets(trials: pd.DataFrame) -> ExtraSets:
    flags = [name for name in map(str, trials.columns) if _is_set_fact(name, "zero_shot")]
    names = {flag.split(".")[1]: trials[flag].dropna().astype(bool) for flag in flags}
    known = [f"eval.{name}." for name, flag in names.items() if len(flag) and flag.all()]
    outside = [f"eval.{name}." for name, flag in names.items() if len(flag) and not flag.any()]
    shift = [f"{SHIFT}_"] if f"{SHIFT}_acc1.raw.selected" in trials else []
    return ExtraSets([*shift, *outside], known)


def _is_set_fact(column: str, fact: str) -> bool:
    return column.startswith("eval_sets.") and column.endswith(f".{fact}")


def _row(cell: Replicates, sets: ExtraSets) -> dict[str, object]:
    """Return the means and intervals of a cell, and the mean of each set."""
    trials = cell.trials
    outside = pd.DataFrame({one: _reported(trials, f"{one}acc1") for one in sets.outside})
    after = pd.DataFrame({one: _reported(trials, f"{one}acc1") for one in sets.known})
    before = pd.DataFrame({one: _column(trials, f"{one}acc1.zero_shot") for one in sets.known})
    values = {
        "test": _reported(trials, "test_acc1"),
        "outside": _mean_of_sets(outside),
        "known_before": _mean_of_sets(before),
        "known_after": _mean_of_sets(after),
        "ece": _reported(trials, "test_ece"),
    }
    row: dict[str, object] = {"cell": cell.cell.label, "n": len(trials)}
    for name, column in values.items():
        level = _estimate(column)
        row |= {name: level.mean, f"{name}_low": level.low, f"{name}_high": level.high}
    single = {**outside, **after}
    return row | {f"{name}acc1": _estimate(column).mean for name, column in single.items()}


def _mean_of_sets(values: pd.DataFrame) -> pd.Series:
    """Return the mean over the sets of each trial; NaN where a set is missing."""
    return values.mean(axis=1, skipna=False)


def _reported(trials: pd.DataFrame, metric: str) -> pd.Series:
    """Return a metric of the reported weights at the selected epoch; NaN where it is missing."""
    values = pd.Series(math.nan, index=trials.index)
    for weights in ("raw", "ema"):
        column = f"{metric}.{weights}.selected"
        if column in trials:
            values = values.mask(trials["selected_weights"] == weights, trials[column])
    return values.astype(float)


def _column(trials: pd.DataFrame, name: str) -> pd.Series:
    return trials[name].astype(float) if name in trials else pd.Series(math.nan, trials.index)


def _estimate(values: pd.Series) -> Estimate:
    """Return the mean and its interval; NaN if a trial lacks the value, or there is no trial."""
    if values.empty or values.isna().any():
        return Estimate(math.nan, math.nan, math.nan, math.nan, len(values))
    return estimate(values)


def _texts(data: pd.DataFrame, name: str, spec: str) -> list[str]:
    rows = data[[name, f"{name}_low", f"{name}_high"]].to_numpy(dtype=float)
    return [
        MISSING_MARK if math.isnan(mean) else format_interval(mean, low, high, spec)
        for mean, low, high in rows
    ]


def _notes(cells: list[Replicates], sets: ExtraSets) -> list[str]:
    outside, known = (
        ", ".join(one.removeprefix("eval.").rstrip("._") for one in names) for names in sets
    )
    notes = [ROBUSTNESS_NOTE.format(outside=outside or "no set")]
    notes += [KNOWN_NOTE.format(known=known)] if known else []
    trials = pd.concat([cell.trials for cell in cells])
    prints = [name for name in map(str, trials.columns) if _is_set_fact(name, "fingerprint")]
    differ = [name.split(".")[1] for name in prints if trials[name].nunique() > 1]
    return [*notes, *([DIFFERENT_NOTE.format(names=", ".join(differ))] if differ else [])]
