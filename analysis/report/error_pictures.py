"""Images of the most confident errors of the best cell of a sweep."""

import base64
from typing import NamedTuple

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.images.correct_bits import read_classes
from clip_hparam.analysis.evidence.images.predictions import ConfidentError, read_errors
from clip_hparam.analysis.evidence.replicates import replicates
from clip_hparam.analysis.evidence.selection import best_cell
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.json_files import UnreadableError


class ErrorPicture(NamedTuple):
    """An image with its class, the predicted class with its probability, and both as a text."""

    label: str
    predicted: str
    text: str
    source: str  # a data URI


class ErrorPictures(NamedTuple):
    """Images of one trial; none if they are not recorded."""

    title: str
    pictures: list[ErrorPicture]


NO_PICTURES = ErrorPictures("", [])


def error_pictures(frames: Frames, ablation: Ablation) -> ErrorPictures:
    """Return the errors on the test set of the best cell's first seed.

    The cell is the best on the selection set. Records without pictures have none.
    """
    best = None if ablation.imported else best_cell(replicates(frames, ablation))
    if best is None:
        return NO_PICTURES
    trial = best.trials.iloc[0]
    try:
        errors = read_errors(trial["folder"])
        names = read_classes(trial["folder"])[1] if errors else []
    except UnreadableError:
        return NO_PICTURES
    title = f"The most confident errors of {best.cell.label}, seed {best.trials.index[0]}"
    return ErrorPictures(title, [_picture(error, names) for error in errors])


def _picture(error: ConfidentError, names: list[str]) -> ErrorPicture:
    label, predicted = names[error.label], names[error.predicted]
    taken_for = f"{predicted} ({100 * error.probability:.1f}\N{NO-BREAK SPACE}%)"
    text = f"image {error.image} of the test set: {label}, predicted as {taken_for}"
    encoded = base64.b64encode(error.picture).decode()
    return ErrorPicture(label, taken_for, text, f"data:image/jpeg;base64,{encoded}")
