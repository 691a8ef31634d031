"""predictions.npz is read as the trial wrote it; records without it are valid."""

from pathlib import Path

import numpy as np
import pytest

from clip_hparam.analysis.evidence.images.predictions import read_errors, read_predictions
from clip_hparam.analysis.frames.json_files import UnreadableError

ARRAYS = {
    "test.labels": np.array([0, 1, 1], np.uint8),
    "test.predicted": np.array([0, 1, 0], np.uint8),
    "test.probability": np.array([0.9, 0.8, 0.7], np.float32),
    "test.errors": np.array([2]),
    "test.pictures": np.array([b"\xff\xd8 a JPEG \xff\xd9"]),
}


def test_predictions_and_errors_are_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "predictions.npz", **ARRAYS)  # type: ignore[arg-type]
    one = read_predictions(tmp_path)
    assert one is not None
    assert one.confusion(2).tolist() == [[1, 0], [1, 1]]
    (error,) = read_errors(tmp_path)
    assert error[:3] == (2, 1, 0)
    assert error.probability == pytest.approx(0.7)
    assert error.picture == b"\xff\xd8 a JPEG \xff\xd9"


def test_a_missing_file_or_set_has_no_predictions(tmp_path: Path) -> None:
    assert read_predictions(tmp_path) is None
    assert read_errors(tmp_path) == []
    np.savez(tmp_path / "predictions.npz", **ARRAYS)  # type: ignore[arg-type]
    assert read_predictions(tmp_path, "eval.sketch") is None


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "predictions.npz").write_bytes(b"PK half of an archive")
    with pytest.raises(UnreadableError, match=r"predictions\.npz cannot be read"):
        read_errors(tmp_path)
