"""Write the predictions of a synthetic trial."""

from typing import Any

import numpy as np

from clip_hparam.records.record import Record
from support.trial_factory import LABELS


def write_predictions(record: Record, taken_for: dict[int, int], errors: list[int]) -> None:
    """Write predictions that are right but for the images in `taken_for`; pictures of `errors`.

    taken_for: the predicted class of an image. errors: the most confident errors, in their order.
    """
    predicted = LABELS.copy()
    predicted[list(taken_for)] = list(taken_for.values())
    arrays: dict[str, Any] = {
        "test.labels": LABELS,
        "test.predicted": predicted,
        "test.probability": np.full(len(LABELS), 0.75, np.float32),
        "test.errors": np.array(errors),
        "test.pictures": np.array([b"JPEG"] * len(errors)),
    }
    np.savez(record.folder / "predictions.npz", **arrays)
    record.write_result(record.result() or {})
