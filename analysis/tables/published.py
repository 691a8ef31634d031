"""The public numbers of the paper's ablations: its ladder, the README's results and the four logs.

They are data of this package and no trials. A number that is not public is empty.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from clip_hparam.analysis.evidence.published import (
    LOGS_SOURCE,
    PAPER_LADDER,
    PLANNED_EPOCHS,
    PUBLISHED_SYSTEMS,
    README_TABLE_SOURCE,
    summarise_logs,
)
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.tables.cell_table import Table
from clip_hparam.analysis.tables.registry import frame_table

PUBLISHED_TITLE = "Published fine-tuning of CLIP on ImageNet-1k, top-1 accuracy, %"
LOG_RUNGS = {
    "B16": ("b16", "weak_aug"), "B16_384": ("b16", "higher_resolution"),
    "L14": ("l14", "weak_aug"), "L14_336": ("l14", "higher_resolution"),
}  # fmt: skip
README_RUNGS = {
    ("ViT-B/16", 224): ("b16", "weak_aug"), ("ViT-B/16", 384): ("b16", "higher_resolution"),
    ("ViT-L/14", 224): ("l14", "weak_aug"), ("ViT-L/14", 336): ("l14", "higher_resolution"),
}  # fmt: skip
METHOD = "FT-CLIP"
RUNGS_WITHOUT_EMA = ("baseline", "lower_lr")
NOTES = [
    "One run each, without intervals. The validation set of 50,000 images selects the epoch and is"
    " also reported, so the best epochs are higher than a held-out selection would give.",
]


class PublishedRow(NamedTuple):
    """One public number; `source` names the publication."""

    family: str
    rung: str
    epoch: str  # "best" of the validation set, or "last"
    weights: str  # "ema" or "raw"
    acc1: float  # top-1 accuracy, percent
    v100_hours: float  # NaN where no cost in V100-hours is public
    source: str


@frame_table("published", lambda frames: bool(frames.family))
def published_table(frames: Frames) -> Table:
    """Return the table with a row per public number of the family; records are not used."""
    every = [*_ladder_rows(), *_readme_rows(), *_log_rows()]
    rows = pd.DataFrame([row for row in every if frames.family in ("", row.family)])
    shown = pd.DataFrame(
        {
            "family": rows["family"],
            "rung": rows["rung"],
            "epoch": rows["epoch"],
            "weights": rows["weights"],
            "top-1, %": [_format_accuracy(value) for value in rows["acc1"]],
            "V100-h": ["" if math.isnan(x) else f"{x:.1f}" for x in rows["v100_hours"]],
            "source": rows["source"],
        },
        dtype="str",
    )
    bold = pd.DataFrame(False, index=shown.index, columns=shown.columns)
    notes = [*NOTES, *_unfinished_notes(frames.family)]
    return Table("published", PUBLISHED_TITLE, rows, shown, bold, notes)


def _format_accuracy(acc1: float) -> str:
    """Return one decimal, as the figure and the README have, or the three of the logs."""
    return f"{acc1:.1f}" if math.isclose(acc1, round(acc1, 1)) else f"{acc1:.3f}"


def _ladder_rows() -> Iterator[PublishedRow]:
    for rung in PAPER_LADDER:
        hours = math.nan if rung.v100_hours is None else rung.v100_hours
        weights = "raw" if rung.key in RUNGS_WITHOUT_EMA else "ema"
        yield PublishedRow("b16", rung.key, "best", weights, rung.acc1, hours, rung.source)


def _readme_rows() -> Iterator[PublishedRow]:
    for system in PUBLISHED_SYSTEMS:
        if system.name == METHOD:
            place = README_RUNGS[system.tower, system.resolution]
            yield PublishedRow(*place, "best", "ema", system.acc1, math.nan, README_TABLE_SOURCE)


def _log_rows() -> Iterator[PublishedRow]:
    for run in summarise_logs():
        accuracies = {
            ("best", "ema"): run.ema_best, ("last", "ema"): run.ema_last,
            ("best", "raw"): run.raw_best, ("last", "raw"): run.raw_last,
        }  # fmt: skip
        for (epoch, weights), acc1 in accuracies.items():
            place = LOG_RUNGS[run.model]
            yield PublishedRow(*place, epoch, weights, acc1, math.nan, LOGS_SOURCE)


def _unfinished_notes(family: str) -> Iterator[str]:
    for run in summarise_logs():
        if family not in ("", LOG_RUNGS[run.model][0]):
            continue
        if run.epochs < PLANNED_EPOCHS[run.model]:
            yield (
                f"The log of {run.model} ends after {run.epochs} of {PLANNED_EPOCHS[run.model]}"
                " epochs; its last epoch is the last logged one."
            )
