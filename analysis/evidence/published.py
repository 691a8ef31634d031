"""Published numbers as data, each with its source; tables show them in columns of their own.

The paper has no per-knob table, so the per-knob tables have no paper column.
"""

import math
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from clip_hparam.design.paper_ladder import PAPER_V100_HOURS

FIGURE_1_SOURCE = "Fig. 1 of 'CLIP Itself is a Strong Fine-tuner' (arXiv 2212.06138)"
README_TABLE_SOURCE = "table in the README of LightDXY/FT-CLIP"
LOGS_SOURCE = "training logs in LightDXY/FT-CLIP (analysis/data)"
PLANNED_EPOCHS = {"B16": 50, "B16_384": 50, "L14": 30, "L14_336": 30}  # epochs of each schedule


class PublishedResult(NamedTuple):
    """A rung of the paper's ladder on ImageNet-1k."""

    key: str  # label of the rung
    title: str
    acc1: float  # top-1 accuracy, percent
    v100_hours: float | None  # hours of one V100; None: not published
    source: str


def _rung(key: str, title: str, acc1: float) -> PublishedResult:
    return PublishedResult(key, title, acc1, PAPER_V100_HOURS[key], FIGURE_1_SOURCE)


PAPER_LADDER = (
    _rung("baseline", "CLIP ViT-B/16, 224 px", 82.3),
    _rung("lower_lr", "reduce lr", 84.3),
    _rung("ema", "EMA", 84.6),
    _rung("llrd", "layer-wise lr decay", 85.3),
    _rung("fewer_epochs", "fewer epochs", 85.2),
    _rung("weak_aug", "weaken augmentation", 85.7),
    _rung("higher_resolution", "resolution 384", 86.6),
)
L14_LADDER = (
    PublishedResult("weak_aug", "CLIP ViT-L/14, 224 px", 88.0, None, README_TABLE_SOURCE),
    PublishedResult("higher_resolution", "resolution 336", 88.3, None, README_TABLE_SOURCE),
)
LADDERS = {"": PAPER_LADDER, "b16": PAPER_LADDER, "l14": L14_LADDER}
"""Rungs with a public number by recipe family; the miniature is compared with ViT-B/16."""
TOWERS = {"": "ViT-B/16", "b16": "ViT-B/16", "l14": "ViT-L/14"}
LADDER_REFERENCE = PublishedResult("jft3b", "JFT-3B ViT-B/16, 384 px", 86.6, None, FIGURE_1_SOURCE)


def paper_columns(
    paper: Iterable[PublishedResult], label: str, label_before: str, delta: float
) -> dict[str, Any]:
    """Return the paper's numbers for a row, and whether its difference has the sign of `delta`.

    label_before: the row that the difference is taken to. NaN or NA where the paper has no number.
    """
    published = {row.key: row for row in paper}
    row, before = published.get(label), published.get(label_before)
    difference = round(row.acc1 - before.acc1, 6) if row and before else math.nan
    known = not math.isnan(delta * difference)
    return {
        "paper_acc1": row.acc1 if row else math.nan,
        "paper_delta": difference,
        "paper_v100_hours": row.v100_hours if row and row.v100_hours else math.nan,
        "sign_agrees": delta * difference > 0 if known else pd.NA,
    }


class PublishedSystem(NamedTuple):
    """A system on ImageNet-1k."""

    name: str
    kind: str
    tower: str
    resolution: int  # px
    acc1: float  # top-1 accuracy, percent
    source: str


SUPERVISED, MIM = "supervised pre-training", "masked images, CLIP as the target"
DIRECT = "CLIP fine-tuned"
PUBLISHED_SYSTEMS = (
    PublishedSystem("ImageNet-21K", SUPERVISED, "ViT-B/16", 224, 84.0, README_TABLE_SOURCE),
    PublishedSystem("ImageNet-21K", SUPERVISED, "ViT-B/16", 384, 86.2, README_TABLE_SOURCE),
    PublishedSystem("ImageNet-21K", SUPERVISED, "ViT-L/16", 384, 87.1, README_TABLE_SOURCE),
    PublishedSystem("JFT-300M", SUPERVISED, "ViT-B/16", 384, 86.7, README_TABLE_SOURCE),
    PublishedSystem("JFT-300M", SUPERVISED, "ViT-L/16", 384, 88.0, README_TABLE_SOURCE),
    PublishedSystem("JFT-3B", SUPERVISED, "ViT-B/16", 384, 86.6, README_TABLE_SOURCE),
    PublishedSystem("JFT-3B", SUPERVISED, "ViT-L/16", 384, 88.5, README_TABLE_SOURCE),
    PublishedSystem("MVP", MIM, "ViT-B/16", 224, 84.4, README_TABLE_SOURCE),
    PublishedSystem("FD-CLIP", MIM, "ViT-B/16", 224, 84.9, README_TABLE_SOURCE),
    PublishedSystem("CAE-v2", MIM, "ViT-B/16", 224, 85.3, README_TABLE_SOURCE),
    PublishedSystem("BEiT-2", MIM, "ViT-B/16", 224, 85.5, README_TABLE_SOURCE),
    PublishedSystem("FT-CLIP", DIRECT, "ViT-B/16", 224, 85.7, README_TABLE_SOURCE),
    PublishedSystem("FT-CLIP", DIRECT, "ViT-B/16", 384, 86.6, README_TABLE_SOURCE),
    PublishedSystem("FT-CLIP", DIRECT, "ViT-L/14", 224, 88.0, README_TABLE_SOURCE),
    PublishedSystem("FT-CLIP", DIRECT, "ViT-L/14", 336, 88.3, README_TABLE_SOURCE),
)
GFLOPS_PER_IMAGE = {  # forward pass, from README_TABLE_SOURCE
    ("ViT-B/16", 224): 17.5,
    ("ViT-B/16", 384): 55.4,
    ("ViT-L/16", 384): 190.7,
    ("ViT-L/14", 224): 80.7,
    ("ViT-L/14", 336): 190.6,
}


class PublishedRun(NamedTuple):
    """Summary of one published log.

    Accuracies in percent on the validation set, which also selected the best epochs.
    """

    model: str
    epochs: int
    ema_best: float
    ema_best_epoch: int
    ema_last: float
    raw_best: float
    raw_best_epoch: int
    raw_last: float


@cache
def read_logs() -> pd.DataFrame:
    """Read the published logs, a row per epoch: `model`, `epoch` from 0, `{raw,ema}_{acc1,loss}`.

    The frame is cached and must not be changed.
    """
    return pd.read_csv(Path(__file__).parents[1] / "data" / "ft_clip_logs.csv")


def summarise_logs() -> list[PublishedRun]:
    """Return the best and last accuracies of each log, ties to the earlier epoch."""
    by_model = read_logs().groupby("model", sort=False)
    return [_summarise_log(str(model), rows) for model, rows in by_model]


def _summarise_log(model: str, rows: pd.DataFrame) -> PublishedRun:
    ema, raw = rows["ema_acc1"].to_list(), rows["raw_acc1"].to_list()
    best_ema, best_raw = max(ema), max(raw)
    return PublishedRun(
        model, len(rows), best_ema, ema.index(best_ema), ema[-1],
        best_raw, raw.index(best_raw), raw[-1],
    )  # fmt: skip
