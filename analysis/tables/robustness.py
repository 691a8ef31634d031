"""The table of accuracy in distribution, out of distribution, and on CLIP's own zero-shot sets.

Its sets are those of the driver key `eval_sets`, and `data.shift`. None of them selects anything.
"""

import math

import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.beyond_test.extra_sets import ExtraSets, extra_sets, set_facts
from clip_hparam.analysis.evidence.beyond_test.measures import Measures, metric_of, trial_measures
from clip_hparam.analysis.evidence.beyond_test.stored_results import results_of_cells
from clip_hparam.analysis.evidence.replicates import Replicates, replicates
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.labels import MISSING_MARK, format_interval
from clip_hparam.analysis.stats.intervals import Estimate, estimate
from clip_hparam.analysis.tables.cell_table import Table
from clip_hparam.analysis.tables.registry import sweep_table

ROBUSTNESS_NOTE = (
    "Mean ± half of the 95 % t interval over seeds, at the epoch that the selection set chose."
    " Out of distribution: the mean over {outside}."
)
KNOWN_NOTE = (
    "Known before: accuracy of CLIP's own zero-shot classifier on {known}, with the trained tower"
    " (after) and with the pre-trained one (before)."
)
STORED_NOTE = (
    "Rows CELL: KIND are results of stored weights, without training: wise_ft is between the"
    " weights before and after fine-tuning, soup is a mean of weights."
)
DIFFERENT_NOTE = "Cells differ in the images of {names}, and their numbers cannot be compared."


@sweep_table("robustness")
def robustness_table(frames: Frames, ablation: Ablation) -> Table | None:
    """Return the table; None if no trial has such a set.

    Raises:
        NotSweptError: the sweep has no record yet.
    """
    cells = replicates(frames, ablation)
    sets = extra_sets(pd.concat([cell.trials for cell in cells]))
    if not any(sets):
        return None
    results = results_of_cells(frames, cells)
    rows = [_row(cell, sets) for cell in cells]
    rows += [
        {"cell": name, "n": len(trials), **_levels(trials)} for name, trials in results.items()
    ]
    data = pd.DataFrame(rows)
    columns = {"test": "in distribution, %"}
    if sets.outside:
        columns["outside"] = "out of distribution, %"
    if sets.known:
        columns |= {"known_before": "known before, %", "known_after": "and after, %"}
    columns["ece"] = "ECE"
    shown = pd.DataFrame({ablation.row: data["cell"], "seeds": data["n"]}, dtype="str")
    for name, title in columns.items():
        shown[title] = _texts(data, name, ".3f" if name == "ece" else ".2f")
    bold = pd.DataFrame(False, index=shown.index, columns=shown.columns)
    title = f"{ablation.title}: robustness, and what CLIP knew before"
    notes = [*_notes(cells, sets), *([STORED_NOTE] if results else [])]
    return Table(f"{ablation.name}_robustness", title, data, shown, bold, notes)


def _row(cell: Replicates, sets: ExtraSets) -> dict[str, object]:
    """Return the means and intervals of a cell, and the mean of each set."""
    trials = cell.trials
    single = {
        f"{eval_set}acc1": _estimate(metric_of(trials, f"{eval_set}acc1")).mean
        for eval_set in [*sets.outside, *sets.known]
    }
    levels = _levels(trial_measures(trials, sets))
    return {"cell": cell.cell.label, "n": len(trials), **levels, **single}


def _levels(measures: pd.DataFrame) -> dict[str, object]:
    """Return the mean and the ends of the interval of each column of Measures."""
    row: dict[str, object] = {}
    for name in Measures._fields:
        level = _estimate(measures[name])
        row |= {name: level.mean, f"{name}_low": level.low, f"{name}_high": level.high}
    return row


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
    outside, known = (", ".join(names) for names in sets.names)
    notes = [ROBUSTNESS_NOTE.format(outside=outside or "no set")]
    notes += [KNOWN_NOTE.format(known=known)] if known else []
    trials = pd.concat([cell.trials for cell in cells])
    prints = set_facts(trials, "fingerprint")
    differ = [name.split(".")[1] for name in prints if trials[name].nunique() > 1]
    return [*notes, *([DIFFERENT_NOTE.format(names=", ".join(differ))] if differ else [])]
