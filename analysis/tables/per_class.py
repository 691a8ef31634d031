"""Accuracy class by class: of the first cell, and of the one that the selection set prefers.

A mean over classes hides which ones paid for it.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.correct_bits import read_classes, reported_bits
from clip_hparam.analysis.evidence.evidence import Replicates, replicates
from clip_hparam.analysis.evidence.selection import best_cell
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.json_files import UnreadableError
from clip_hparam.analysis.stats.intervals import Estimate, estimate, holm
from clip_hparam.analysis.tables.table import Table, format_difference, format_interval

MAX_SHOWN_CLASSES = 20  # classes that a reader sees; the csv has all
CLASSES_NOTE = (
    "Classes of the test set, the least accurate ones of {chosen} first, which is the best {row} on"
    " the selection set. Mean ± half of the 95 % t interval over {n} seeds, differences paired by"
    " seed. Bold: Holm-adjusted p over all {classes} classes below 0.05."
)
Shares = NDArray[np.float64]


def classes_table(frames: Frames, ablation: Ablation) -> Table:
    """Raises NotSweptError, and UnreadableError where no cell is complete or bits are missing."""
    cells = [cell for cell in replicates(frames, ablation) if cell.complete]
    chosen = best_cell(cells)
    if chosen is None:
        raise UnreadableError("no accuracy by class: every cell lacks a run")
    first = cells[0]
    labels, names = _common_labels(first, chosen)
    images = np.bincount(labels, minlength=len(names))
    before, after = (100 * _class_accuracy(cell, labels, images) for cell in (first, chosen))
    there = np.flatnonzero(images)
    rows = [_row(names[at], int(images[at]), before[at], after[at]) for at in there]
    data = pd.DataFrame(rows)
    data["delta_p_holm"] = holm(list(data["delta_p"]))
    data = data.sort_values("acc1", kind="stable")
    shown = _shown(data.head(MAX_SHOWN_CLASSES), first, chosen)
    bold = pd.DataFrame(False, index=shown.index, columns=shown.columns)
    if "Δ, points" in bold:
        bold["Δ, points"] = data["delta_p_holm"] < 0.05
    rule = CLASSES_NOTE.format(
        chosen=chosen.cell.label, row=ablation.row, n=len(chosen.values), classes=len(names)
    )
    more = (
        f" {MAX_SHOWN_CLASSES} of {len(names)} classes are shown."
        if len(names) > MAX_SHOWN_CLASSES
        else ""
    )
    title = f"{ablation.title}: accuracy by class"
    return Table(f"{ablation.name}_classes", title, data, shown, bold, [rule + more])


def _common_labels(*cells: Replicates) -> tuple[NDArray[np.integer], list[str]]:
    """Of the test images that all trials of the cells have in common."""
    found = [read_classes(folder) for cell in cells for folder in cell.trials["folder"]]
    labels, names = found[0]
    if any(not np.array_equal(labels, other) or names != same for other, same in found):
        raise UnreadableError("no accuracy by class: the cells differ in their test images")
    return labels, names


def _class_accuracy(
    cell: Replicates, labels: NDArray[np.integer], images: NDArray[np.int64]
) -> Shares:
    """Share of each class that is right, shape (classes, seeds); 0 for a class without an image."""
    right = [np.bincount(labels, row, len(images)) for row in reported_bits(cell.trials)]
    shares: Shares = np.array(right).T / np.maximum(images, 1)[:, None]
    return shares


def _row(name: str, images: int, before: Shares, after: Shares) -> dict[str, object]:
    level, first, delta = estimate(after), estimate(before), estimate(after - before)
    return {
        "class": name, "images": images, "acc1": level.mean, **_interval_columns("ci", level),
        "n": level.n,
        "first_acc1": first.mean, **_interval_columns("first", first),
        "delta": delta.mean, **_interval_columns("delta", delta), "delta_p": delta.p,
    }  # fmt: skip


def _interval_columns(name: str, found: Estimate) -> dict[str, float]:
    return {f"{name}_low": found.low, f"{name}_high": found.high}


def _shown(data: pd.DataFrame, first: Replicates, chosen: Replicates) -> pd.DataFrame:
    """Without a difference where the first cell is the chosen one."""

    def levels(mean: str, ends: str) -> list[str]:
        columns = data[[mean, f"{ends}_low", f"{ends}_high"]]
        return [format_interval(m, low, high, ".1f") for m, low, high in columns.to_numpy()]

    shown: dict[str, Any] = {"class": data["class"], "test images": data["images"].astype(str)}
    shown[f"{chosen.cell.label}, %"] = levels("acc1", "ci")
    if chosen is not first:
        shown[f"{first.cell.label}, %"] = levels("first_acc1", "first")
        columns = data[["delta", "delta_low", "delta_high"]].to_numpy()
        shown["Δ, points"] = [format_difference(*row) for row in columns]
    return pd.DataFrame(shown, index=data.index, dtype="str")
