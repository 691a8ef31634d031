"""The final comparison: published systems on ImageNet-1k, and ours beside them.

A cell that no source and no run fills stays empty.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from clip_hparam.analysis.evidence.compare import cell_key
from clip_hparam.analysis.evidence.published import (
    DIRECT,
    GFLOPS,
    LOG_PLANNED,
    LOGS,
    README_TABLE,
    SYSTEMS,
    log_summary,
)
from clip_hparam.analysis.frames.frame import Frames, reported
from clip_hparam.analysis.stats.intervals import estimate
from clip_hparam.analysis.tables.table import Table, with_interval

TITLE = "ImageNet-1k top-1 accuracy, %: published systems and ours"
TOWERS = {"ViT-B-16": "ViT-B/16", "ViT-L-16": "ViT-L/16", "ViT-L-14": "ViT-L/14"}
LOGGED = {
    "B16": ("ViT-B/16", 224), "B16_384": ("ViT-B/16", 384),
    "L14": ("ViT-L/14", 224), "L14_336": ("ViT-L/14", 336),
}  # fmt: skip
OURS = (
    "ours: of the cells of a tower and resolution the best one on the selection set; its test"
    " accuracy at the selected epoch, mean ± half of the 95 % t interval over seeds."
)
NONE_OF_OURS = (
    "No run of ours is on ImageNet-1k with one of these towers, so there is no row of ours:"
    " accuracies on other data are not to be compared with these."
)


class Entry(NamedTuple):
    """One filled cell; `low`, `high` and `trials` are of ours alone."""

    system: str
    kind: str
    tower: str
    resolution: int
    acc1: float  # percent
    source: str
    n: int | None = None  # runs; None where the source does not say
    low: float = math.nan
    high: float = math.nan
    trials: str = ""


def systems_table(frames: Frames) -> Table:
    """A row a system, a column a tower and resolution; as csv a row a filled cell."""
    ours = list(_ours(frames.trials))
    entries = [*(Entry(*system) for system in SYSTEMS), *_last_epochs(), *ours]
    columns = [f"{tower}, {resolution} px" for tower, resolution in GFLOPS]
    gflops = [f"{value:.1f}" for value in GFLOPS.values()]
    rows = {("GFLOPs an image", ""): dict(zip(columns, gflops, strict=True))}
    rows |= {(one.system, one.kind): {} for one in entries}
    for one in entries:
        text = with_interval(one.acc1, one.low, one.high, ".1f")
        rows[one.system, one.kind][f"{one.tower}, {one.resolution} px"] = text
    shown = pd.DataFrame(
        [{"system": system, "how": kind, **cells} for (system, kind), cells in rows.items()],
        columns=["system", "how", *columns],
    )
    shown = shown.fillna("").astype("str")
    bold = pd.DataFrame(False, index=shown.index, columns=shown.columns)
    return Table("systems", TITLE, pd.DataFrame(entries), shown, bold, _notes(bool(ours)))


def _last_epochs() -> Iterator[Entry]:
    for run in log_summary():
        yield Entry("FT-CLIP, last epoch", DIRECT, *LOGGED[run.model], run.ema_last, LOGS, 1)


def _ours(trials: pd.DataFrame) -> Iterator[Entry]:
    """The cell of each tower and resolution that is best on the selection set."""
    done = trials[(trials["status"] == "done") & (trials["data.name"] == "imagenet")]
    names = done["encoder.name"].astype(str)
    known = done.assign(
        tower=names.str.extract(f"^({'|'.join(TOWERS)})", expand=False).map(TOWERS),
        selection=reported(done, "selection_acc1"),
        test=reported(done),
    ).dropna(subset=["tower", "selection", "test"])
    if known.empty:
        return
    for _, rows in known.groupby(["tower", "resolution"]):
        cells = rows.groupby(cell_key(rows))
        chosen = cells.get_group(cells["selection"].mean().idxmax())
        level = estimate(chosen["test"])
        yield Entry(
            "ours", DIRECT, chosen["tower"].iloc[0], int(chosen["resolution"].iloc[0]),
            level.mean, "our records",
            level.n, level.low, level.high, " ".join(chosen["trial_id"]),
        )  # fmt: skip


def _notes(ours: bool) -> list[str]:
    short = [run for run in log_summary() if run.epochs < LOG_PLANNED[run.model]]
    return [
        f"Published: {README_TABLE}, without seeds or intervals. Last epoch: {LOGS}, one run each.",
        "Published FT-CLIP: the best EMA epoch on the validation set that is reported on.",
        *(
            f"The log of {run.model} ends after {run.epochs} of {LOG_PLANNED[run.model]} epochs."
            for run in short
        ),
        OURS if ours else NONE_OF_OURS,
    ]
