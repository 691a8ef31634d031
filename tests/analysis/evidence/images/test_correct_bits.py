"""correct.npz is read as the trial wrote it."""

from pathlib import Path

import numpy as np
import pytest
from support.trial_factory import Runs

from clip_hparam.analysis.evidence.images.correct_bits import (
    count_images,
    read_correct,
    reported_bits,
)
from clip_hparam.analysis.frames.json_files import UnreadableError


def test_read_correct_returns_the_written_bits(tmp_path: Path) -> None:
    right = np.random.default_rng(0).random(1597) < 0.9
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        archive = {
            "n": 1597,
            "acc1.raw.selected": np.packbits(right),
            "acc5.ema.last": np.packbits(~right),
        }
        np.savez(tmp_path / name / "correct.npz", **archive)
    assert (read_correct(tmp_path / "a", "raw") == right).all()
    assert (read_correct(tmp_path / "b", "ema", "last", "acc5") == ~right).all()
    with pytest.raises(UnreadableError, match=r"has no acc1\.ema\.selected"):
        read_correct(tmp_path / "a", "ema")
    (tmp_path / "a" / "correct.npz").write_bytes(b"PK half of an archive")
    for folder in (tmp_path / "a", tmp_path / "nowhere"):
        with pytest.raises(UnreadableError, match="cannot be read"):
            read_correct(folder, "raw")


def test_reported_bits_are_of_the_reported_weights(runs: Runs) -> None:
    for ema_decay, acc1 in ((0.0, 90.0), (0.9, 95.0)):
        runs.done({"ema_decay": ema_decay}, 0, acc1)
    trials = runs.frames().trials
    accuracies = dict(zip(trials["ema_decay"], reported_bits(trials).mean(axis=1), strict=True))
    assert accuracies == pytest.approx({0.0: 0.90, 0.9: 0.95}, abs=1e-3)
    assert count_images(trials) == 1597
