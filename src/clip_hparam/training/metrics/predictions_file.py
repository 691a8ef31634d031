"""Write predictions.npz: what a trial predicts for each image, and its most confident errors."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from clip_hparam.data.dataset import EvalSet
from clip_hparam.records.atomic import write_atomic
from clip_hparam.records.record import Record
from clip_hparam.training.metrics.errors import confident_errors
from clip_hparam.training.metrics.predictions import Predictions

PREDICTIONS_FILE = "predictions.npz"


def write_predictions(
    record: Record,
    predictions: Mapping[str, Predictions],
    sets: Mapping[str, EvalSet],
    weights: str,
) -> None:
    """Write the predictions of the reported weights at the selected epoch.

    For each set: `<set>.labels`, `.predicted`, `.probability`, `.errors` (indices of at most 32
    wrong predictions, the most confident first) and `.pictures` of these images (each the bytes of
    a JPEG file of at most 64 px), and `.classes` where they are not those of the data set.
    weights: "raw" or "ema", the reported ones; stored as `weights`.
    """
    arrays: dict[str, Any] = {"weights": np.array(weights)}
    for name, predicted in predictions.items():
        errors = confident_errors(predicted, sets[name].images)
        smallest = np.min_scalar_type(predicted.classes)
        if sets[name].class_names:
            arrays[f"{name}.classes"] = np.array(sets[name].class_names)
        arrays |= {
            f"{name}.labels": predicted.labels.astype(smallest),
            f"{name}.predicted": predicted.predicted.astype(smallest),
            f"{name}.probability": predicted.confidence,
            f"{name}.errors": errors.indices.astype(np.uint32),
            f"{name}.pictures": errors.pictures,
        }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_atomic(record.folder / PREDICTIONS_FILE, buffer.getvalue())
