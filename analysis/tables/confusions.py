"""The table of the most frequent confusions of the cell selected on the selection set."""

import numpy as np
import pandas as pd

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.images.correct_bits import read_classes
from clip_hparam.analysis.evidence.images.predictions import read_predictions
from clip_hparam.analysis.evidence.replicates import replicates
from clip_hparam.analysis.evidence.selection import best_cell
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.tables.cell_table import Table
from clip_hparam.analysis.tables.registry import sweep_table

MAX_SHOWN = 20  # in all formats but csv, which has all cells of the confusion matrix
NOTE = (
    "Test images of a class that {cell}, the best {row} on the selection set, predicts as another"
    " class, as a share of the class, over {n} seeds. The csv file holds the whole matrix."
)


@sweep_table("confusions")
def confusions_table(frames: Frames, ablation: Ablation) -> Table | None:
    """Return the confusions; None if no cell is complete or its trials hold no predictions.

    Raises:
        NotSweptError: the sweep has no record yet.
        UnreadableError: a file of predictions is damaged, or classes are not recorded.
    """
    best = best_cell(replicates(frames, ablation))
    if best is None:
        return None
    folders = list(best.trials["folder"])
    predictions = [read_predictions(folder) for folder in folders]
    known = [of_seed for of_seed in predictions if of_seed is not None]
    if not known or len(known) < len(folders):
        return None
    names = read_classes(folders[0])[1]
    matrix = np.sum([of_seed.confusion(len(names)) for of_seed in known], axis=0)
    data = _rows(matrix, names)
    wrong = data[(data["class"] != data["predicted"]) & (data["images"] > 0)]
    first = wrong.sort_values("share", ascending=False, kind="stable").head(MAX_SHOWN)
    shown = pd.DataFrame({
        "class": first["class"],
        "predicted as": first["predicted"],
        "images": first["images"].astype(str),
        "share of the class, %": [f"{share:.1f}" for share in first["share"]],
    }, dtype="str")  # fmt: skip
    bold = pd.DataFrame(False, index=shown.index, columns=shown.columns)
    note = NOTE.format(cell=best.cell.label, row=ablation.row, n=len(folders))
    title = f"{ablation.title}: most frequent confusions"
    return Table(f"{ablation.name}_confusions", title, data, shown, bold, [note])


def _rows(matrix: np.ndarray, names: list[str]) -> pd.DataFrame:
    """Return a row for each cell of a confusion matrix; share: of the images of the class, in %."""
    images = matrix.sum(axis=1)
    share = 100 * matrix / np.maximum(images, 1)[:, None]
    return pd.DataFrame({
        "class": np.repeat(names, len(names)),
        "predicted": np.tile(names, len(names)),
        "images": matrix.ravel(),
        "share": share.ravel(),
    })  # fmt: skip
