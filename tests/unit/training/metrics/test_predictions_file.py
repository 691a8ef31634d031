"""predictions.npz holds what a trial predicts for each image of a set."""

from pathlib import Path

import numpy as np

from clip_hparam.data.dataset import EvalSet
from clip_hparam.records.record import Record
from clip_hparam.training.metrics.predictions import Predictions
from clip_hparam.training.metrics.predictions_file import PREDICTIONS_FILE, write_predictions


def test_the_file_holds_the_predictions_of_each_set(
    predictions: Predictions, tmp_path: Path
) -> None:
    record = Record(tmp_path, "a" * 12)
    record.folder.mkdir()
    images = np.zeros((200, 3, 8, 8), np.uint8)
    write_predictions(
        record, {"test": predictions}, {"test": EvalSet(images, predictions.labels)}, "ema"
    )
    with np.load(record.folder / PREDICTIONS_FILE) as file:
        assert str(file["weights"]) == "ema"
        np.testing.assert_array_equal(file["test.labels"], predictions.labels)
        np.testing.assert_array_equal(file["test.predicted"], predictions.predicted)
        np.testing.assert_array_equal(file["test.probability"], predictions.confidence)
        assert file["test.predicted"].dtype == np.uint8
        assert len(file["test.errors"]) == len(file["test.pictures"]) == 32
