"""The table of accuracy by class, of the first cell and of the cell selected on the selection set.

A higher mean accuracy can hide classes whose accuracy fell.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.images.correct_bits import read_classes, reported_bits
from clip_hparam.analysis.evidence.replicates import Replicates, replicates
from clip_hparam.analysis.evidence.selection import best_cell
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.json_files import UnreadableError
from clip_hparam.analysis.frames.labels import format_difference, format_interval
from clip_hparam.analysis.stats.intervals import Estimate, estimate, holm
from clip_hparam.analysis.tables.cell_table import Table
from clip_hparam.analysis.tables.registry import sweep_table

MAX_SHOWN_CLASSES = 20  # in all formats but csv, which has all classes
CLASSES_NOTE = (
    "Classes of the test set in ascending order of their accuracy for {chosen}, the best {row} on"
    " the selection set. Mean ± half of the 95 % t interval over {n} seeds, differences paired by"
    " seed. Bold: Holm-adjusted p over all {classes} classes below 0.05."
)
SPREAD_NOTE = (
    " With few images in a class, or few seeds, an interval may pass 0 or 100 %; a cell without ±"
    " is equal in all seeds, which gives no interval."
)
DIFFERENCE_NOTE = " Δ is {chosen} minus {first}, the first {row}."
DIFFERENCE_TITLE = "Δ, points"
Accuracies = NDArray[np.float64]


@sweep_table("classes")
def classes_table(frames: Frames, ablation: Ablation) -> Table:
    """Return the accuracy of each class of the test set.

    Raises:
        NotSweptError: the sweep has no record yet.
        UnreadableError: no cell is complete, or records lack the class of each test image.
    """
    cells = [cell for cell in replicates(frames, ablation) if cell.complete]
    chosen = best_cell(cells)
    if chosen is None:
        raise UnreadableError("no accuracy by class: every cell has a missing run")
    first = cells[0]
    labels, names = _common_labels(first, chosen)
    images = np.bincount(labels, minlength=len(names))
    before, after = (100 * _class_accuracy(cell, labels, images) for cell in (first, chosen))
    with_images = np.flatnonzero(images)
    data = pd.DataFrame([_row(names[i], int(images[i]), before[i], after[i]) for i in with_images])
    data["delta_p_holm"] = holm(list(data["delta_p"]))
    data = data.sort_values("acc1", kind="stable")
    shown = _shown(data.head(MAX_SHOWN_CLASSES), first, chosen)
    bold = pd.DataFrame(False, index=shown.index, columns=shown.columns)
    if DIFFERENCE_TITLE in bold:
        bold[DIFFERENCE_TITLE] = data["delta_p_holm"] < 0.05
    note = CLASSES_NOTE.format(
        chosen=chosen.cell.label, row=ablation.row, n=len(chosen.values), classes=len(names)
    )
    if len(chosen.values) > 1:
        note += SPREAD_NOTE
    if chosen is not first:
        note += DIFFERENCE_NOTE.format(
            chosen=chosen.cell.label, first=first.cell.label, row=ablation.row
        )
    if len(names) > MAX_SHOWN_CLASSES:
        note += f" {MAX_SHOWN_CLASSES} of {len(names)} classes are shown."
    title = f"{ablation.title}: accuracy by class"
    return Table(f"{ablation.name}_classes", title, data, shown, bold, [note])


def _common_labels(*cells: Replicates) -> tuple[NDArray[np.integer], list[str]]:
    """Return the label of each test image and the class names, equal in all trials of the cells.

    Raises:
        UnreadableError: trials differ in their test images.
    """
    classes = [read_classes(folder) for cell in cells for folder in cell.trials["folder"]]
    labels, names = classes[0]
    if any(not np.array_equal(labels, other) or names != others for other, others in classes):
        raise UnreadableError("no accuracy by class: the cells differ in their test images")
    return labels, names


def _class_accuracy(
    cell: Replicates, labels: NDArray[np.integer], images: NDArray[np.int64]
) -> Accuracies:
    """Return the share of correct images, shape (classes, seeds); 0 for a class without images."""
    correct = [np.bincount(labels, bits, len(images)) for bits in reported_bits(cell.trials)]
    accuracies: Accuracies = np.array(correct).T / np.maximum(images, 1)[:, None]
    return accuracies


def _row(name: str, images: int, before: Accuracies, after: Accuracies) -> dict[str, object]:
    level, first, delta = estimate(after), estimate(before), estimate(after - before)
    return {
        "class": name, "images": images, "acc1": level.mean, **_interval_columns("ci", level),
        "n": level.n,
        "first_acc1": first.mean, **_interval_columns("first", first),
        "delta": delta.mean, **_interval_columns("delta", delta), "delta_p": delta.p,
    }  # fmt: skip


def _interval_columns(name: str, interval: Estimate) -> dict[str, float]:
    return {f"{name}_low": interval.low, f"{name}_high": interval.high}


def _shown(data: pd.DataFrame, first: Replicates, chosen: Replicates) -> pd.DataFrame:
    """Return the text of the table; the chosen cell has no difference to itself."""

    def levels(mean: str, ends: str) -> list[str]:
        columns = data[[mean, f"{ends}_low", f"{ends}_high"]]
        return [format_interval(m, low, high, ".1f") for m, low, high in columns.to_numpy()]

    shown: dict[str, Any] = {"class": data["class"], "test images": data["images"].astype(str)}
    shown[f"{chosen.cell.label}, %"] = levels("acc1", "ci")
    if chosen is not first:
        shown[f"{first.cell.label}, %"] = levels("first_acc1", "first")
        columns = data[["delta", "delta_low", "delta_high"]].to_numpy()
        shown[DIFFERENCE_TITLE] = [format_difference(*row) for row in columns]
    return pd.DataFrame(shown, index=data.index, dtype="str")
