"""The final comparison: published systems on ImageNet-1k and our best cells.

A cell without a published number or a recorded run is empty.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from clip_hparam.analysis.evidence.lookup import cell_key
from clip_hparam.analysis.evidence.published import (
    DIRECT,
    GFLOPS_PER_IMAGE,
    LOGS_SOURCE,
    PLANNED_EPOCHS,
    PUBLISHED_SYSTEMS,
    README_TABLE_SOURCE,
    summarise_logs,
)
from clip_hparam.analysis.evidence.selection import selection_accuracy
from clip_hparam.analysis.frames.frame import Frames, reported_values
from clip_hparam.analysis.frames.labels import format_interval
from clip_hparam.analysis.frames.trial_table import add_columns
from clip_hparam.analysis.stats.intervals import estimate
from clip_hparam.analysis.tables.cell_table import Table
from clip_hparam.analysis.tables.registry import frame_table

SYSTEMS_TITLE = "ImageNet-1k top-1 accuracy, %: published systems and ours"
TOWER_NAMES = {"ViT-B-16": "ViT-B/16", "ViT-L-16": "ViT-L/16", "ViT-L-14": "ViT-L/14"}
LOG_TOWERS = {
    "B16": ("ViT-B/16", 224), "B16_384": ("ViT-B/16", 384),
    "L14": ("ViT-L/14", 224), "L14_336": ("ViT-L/14", 336),
}  # fmt: skip
OURS_NOTE = (
    "ours: the best cell of each tower and resolution on the selection set, with its test accuracy"
    " at the selected epoch, mean ± half of the 95 % t interval over seeds."
)
NO_RUN_NOTE = (
    "No recorded run uses ImageNet-1k with one of these towers, so the table has no row for this"
    " project: accuracies on other data cannot be compared with these."
)


class SystemEntry(NamedTuple):
    """One number of the table; `low`, `high` and `trials` are filled for our runs only."""

    system: str
    kind: str
    tower: str
    resolution: int
    acc1: float  # percent
    source: str
    n: int | None = None  # runs, None where unpublished
    low: float = math.nan
    high: float = math.nan
    trials: str = ""


@frame_table("systems", lambda frames: frames.imported is None)
def systems_table(frames: Frames) -> Table:
    """Return the table with a row per system and a column per tower and resolution.

    The csv has one row per number.
    """
    ours = list(_our_entries(frames.trials))
    entries = [
        *(SystemEntry(*system) for system in PUBLISHED_SYSTEMS),
        *_last_epoch_entries(),
        *ours,
    ]
    columns = [f"{tower}, {resolution} px" for tower, resolution in GFLOPS_PER_IMAGE]
    gflops = [f"{value:.1f}" for value in GFLOPS_PER_IMAGE.values()]
    rows = {("GFLOPs an image", ""): dict(zip(columns, gflops, strict=True))}
    rows |= {(entry.system, entry.kind): {} for entry in entries}
    for entry in entries:
        text = format_interval(entry.acc1, entry.low, entry.high, ".1f")
        rows[entry.system, entry.kind][f"{entry.tower}, {entry.resolution} px"] = text
    shown = pd.DataFrame(
        [{"system": system, "how": kind, **cells} for (system, kind), cells in rows.items()],
        columns=["system", "how", *columns],
    )
    shown = shown.fillna("").astype("str")
    bold = pd.DataFrame(False, index=shown.index, columns=shown.columns)
    return Table("systems", SYSTEMS_TITLE, pd.DataFrame(entries), shown, bold, _notes(bool(ours)))


def _last_epoch_entries() -> Iterator[SystemEntry]:
    for run in summarise_logs():
        yield SystemEntry(
            "FT-CLIP, last epoch", DIRECT, *LOG_TOWERS[run.model], run.ema_last, LOGS_SOURCE, 1
        )


def _our_entries(trials: pd.DataFrame) -> Iterator[SystemEntry]:
    """Yield the best cell of each tower and resolution on the selection set."""
    done = trials[(trials["status"] == "done") & (trials["data.name"] == "imagenet")]
    names = done["encoder.name"].astype(str)
    known = add_columns(
        done,
        tower=names.str.extract(f"^({'|'.join(TOWER_NAMES)})", expand=False).map(TOWER_NAMES),
        selection=reported_values(done, "selection_acc1"),
        test=reported_values(done),
    ).dropna(subset=["tower", "selection", "test"])
    if known.empty:
        return
    for _, rows in known.groupby(["tower", "resolution"]):
        cells = [trials for _, trials in rows.groupby(cell_key(rows))]
        chosen = max(cells, key=selection_accuracy)
        level = estimate(chosen["test"])
        yield SystemEntry(
            "ours", DIRECT, chosen["tower"].iloc[0], int(chosen["resolution"].iloc[0]),
            level.mean, "our records",
            level.n, level.low, level.high, " ".join(chosen["trial_id"]),
        )  # fmt: skip


def _notes(has_ours: bool) -> list[str]:
    unfinished = [run for run in summarise_logs() if run.epochs < PLANNED_EPOCHS[run.model]]
    return [
        f"Published: {README_TABLE_SOURCE}, without seeds or intervals. Last epoch: {LOGS_SOURCE},"
        " one run each.",
        "Published FT-CLIP: the EMA epoch with the best accuracy on the validation set, on which"
        " the accuracy is also reported.",
        *(
            f"The log of {run.model} ends after {run.epochs} of {PLANNED_EPOCHS[run.model]} epochs."
            for run in unfinished
        ),
        OURS_NOTE if has_ours else NO_RUN_NOTE,
    ]
