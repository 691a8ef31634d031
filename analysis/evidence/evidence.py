"""Compute the numbers of a sweep's table and figure: one row per cell.

Columns: the row's label; the ablation's knobs, or `changed`; `asked` and `n` (seeds planned and
done); the metric with `ci_low`, `ci_high`; `delta*` to the row that the ablation compares with,
paired by seed, with `delta_p`, Holm-adjusted `delta_p_holm` and `delta_excludes_zero`;
`both_low`, `both_high` (the difference over seeds and test images together) or, with one seed per
side, `images_low`, `images_high`, `images_p` (paired test images, McNemar), `images_p_holm`, and of
the metric `images` (their number) and `ci_images_*` (Wilson); `seeds_needed` to resolve
`MIN_DIFFERENCE_POINTS`; `baseline_delta*` to the design's first cell; `seconds` and `gpu_hours` per
run; `paper_*`; `sign_agrees`; `differs` (provenance that differs from most trials of the table);
`trials` (ids of the records).

A cell with a missing trial has n < asked and no mean, since trials do not fail at random: a mean
over the remaining trials would be biased.
"""

import math
from typing import Any

import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.images.image_level import (
    MISSING_COLUMNS,
    MISSING_LEVEL,
    image_level_accuracy,
    image_level_columns,
)
from clip_hparam.analysis.evidence.provenance import differing_provenance
from clip_hparam.analysis.evidence.published import paper_columns
from clip_hparam.analysis.evidence.published_recipes import published_rung
from clip_hparam.analysis.evidence.replicates import (
    Replicates,
    first_recorded,
    recorded_levels,
    replicates,
    sweep_of,
)
from clip_hparam.analysis.frames.frame import CELL_KNOBS, FINGERPRINT_KNOBS, Frames, done_trials
from clip_hparam.analysis.frames.labels import format_knob
from clip_hparam.analysis.frames.manifests import race_of
from clip_hparam.analysis.frames.trial_table import add_columns
from clip_hparam.analysis.stats.intervals import (
    Estimate,
    estimate,
    holm,
    paired_differences,
    raced_estimate,
)
from clip_hparam.analysis.stats.power import seeds_needed
from clip_hparam.design.racing import Race

INCOMPLETE_CELL = Estimate(math.nan, math.nan, math.nan, math.nan, 0, "incomplete")
MIN_DIFFERENCE_POINTS = 0.2  # `seeds_needed` is for a difference of this size


def cell_evidence(frames: Frames, ablation: Ablation) -> pd.DataFrame:
    """Return one row per cell; the index is the cell's position in the design.

    Raises:
        NotSweptError: the sweep is not on record.
    """
    cells = replicates(frames, ablation)
    race = race_of(sweep_of(frames, ablation))
    measured = [_evidence_row(cells, row, ablation, race) for row in range(len(cells))]
    table = pd.DataFrame(measured)
    table.insert(
        list(table.columns).index("delta_p") + 1, "delta_p_holm", holm(list(table["delta_p"]))
    )
    table.insert(
        list(table.columns).index("images_p") + 1, "images_p_holm", holm(list(table["images_p"]))
    )
    table["sign_agrees"] = table["sign_agrees"].astype("boolean")
    trials = pd.concat([add_columns(cell.trials, row=row) for row, cell in enumerate(cells)])
    table["differs"] = "" if ablation.imported else differing_provenance(trials, ablation.knobs)
    return table.sort_values(list(ablation.knobs)) if ablation.order == "value" else table


def trials_of(frames: Frames, data: pd.DataFrame) -> pd.DataFrame:
    """Return the done trials whose ids are in the column `trials` of `cell_evidence`."""
    done = done_trials(frames.trials)
    return done[done["trial_id"].isin(" ".join(data["trials"]).split())]


def _evidence_row(
    cells: list[Replicates], row: int, ablation: Ablation, race: Race | None
) -> dict[str, Any]:
    cell, first, label = cells[row], cells[0], cells[row].cell.label
    countable = ablation.counts_images and cell.complete
    before = None if row == 0 else cells[row - 1] if ablation.against == "previous" else first
    level = estimate(cell.values) if cell.complete else INCOMPLETE_CELL
    delta = _difference(cell, before, race)
    baseline_delta = _difference(cell, first if row else None, race)
    return {
        ablation.row: label,
        **_change_columns(cell, before, ablation),
        "asked": len(cell.values),
        "n": int(cell.values.notna().sum()),
        ablation.metric: level.mean,
        "ci_low": level.low,
        "ci_high": level.high,
        "why": level.why,
        **(image_level_accuracy(cell.trials, level.mean) if countable else MISSING_LEVEL),
        **_difference_columns("delta", delta),
        "delta_p": delta.p,
        "delta_excludes_zero": delta.excludes_zero,
        **_image_level(cell, before, ablation),
        "seeds_needed": math.nan if ablation.imported else _seeds_needed(cell, before),
        **_difference_columns("baseline_delta", baseline_delta),
        "seconds": cell.mean("cost.seconds"),
        "gpu_hours": cell.mean("cost.gpu_hours"),
        **paper_columns(
            ablation.paper,
            _published_key(cell, ablation),
            _published_key(before, ablation) if before else "",
            delta.mean,
        ),
        "trials": " ".join(cell.cell.trials.values()),
    }


def _published_key(cell: Replicates, ablation: Ablation) -> str:
    """Return the key of the published result of a cell; a key without a result if there is none."""
    if ablation.paper_by == "label":
        return cell.cell.label
    return published_rung(ablation.family, _cell_recipe(cell))


def _difference(after: Replicates, before: Replicates | None, race: Race | None) -> Estimate:
    if before is None:
        return INCOMPLETE_CELL._replace(why="first row")
    if not (after.complete and before.complete):
        return INCOMPLETE_CELL
    differences = paired_differences(after.values, before.values)
    return raced_estimate(differences, race) if race else estimate(differences)


def _image_level(
    after: Replicates, before: Replicates | None, ablation: Ablation
) -> dict[str, float]:
    """Return image-level columns; NaN unless the metric is top-1 and both cells are complete."""
    own = {label for label, _ in ablation.metric_columns}
    reported = before is not None and not own & {after.cell.label, before.cell.label}
    countable = ablation.counts_images and reported
    if not countable or before is None or not (after.complete and before.complete):
        return MISSING_COLUMNS
    return image_level_columns(after.trials, before.trials)


def _seeds_needed(after: Replicates, before: Replicates | None) -> float:
    if before is None or not (after.complete and before.complete):
        return math.nan
    differences = paired_differences(after.values, before.values)
    spread = float(differences.std(ddof=1)) if len(differences) > 1 else math.nan
    return seeds_needed(spread, MIN_DIFFERENCE_POINTS) or math.nan


def _difference_columns(name: str, delta: Estimate) -> dict[str, Any]:
    ends = {f"{name}_low": delta.low, f"{name}_high": delta.high}
    return {name: delta.mean, **ends, f"{name}_n": delta.n, f"{name}_why": delta.why}


def _change_columns(
    after: Replicates, before: Replicates | None, ablation: Ablation
) -> dict[str, Any]:
    """Return the levels of the ablation's knobs; without any the changes, "lr 0.006 → 0.001"."""
    if ablation.knobs or ablation.imported:
        return recorded_levels(after, ablation.knobs)
    new, old = _cell_recipe(after), _cell_recipe(before) if before else {}
    differing = (name for name in new if name in old and new[name] != old[name])
    changes = (f"{name} {format_knob(old[name])} → {format_knob(new[name])}" for name in differing)
    return {"changed": ", ".join(changes)}


def _cell_recipe(cell: Replicates) -> dict[str, Any]:
    """Return the knobs of the cell's first recorded trial; {} if no trial is recorded."""
    first = first_recorded(cell.trials)
    names = [name for name in CELL_KNOBS if name in first and name not in FINGERPRINT_KNOBS]
    return {name: first[name] for name in names if not pd.isna(first[name])}
