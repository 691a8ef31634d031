"""An interrupted trial ends with the same weights as an uninterrupted one, bit for bit."""

from hashlib import sha256

import pytest
from support.slurm_disturbed_sweep import AGAIN, MOVED, REQUEUED, WARNED, DisturbedSweep

from clip_hparam.records.record import Record


def weights_sha256(record: Record) -> str:
    return sha256((record.folder / "last.safetensors").read_bytes()).hexdigest()


@pytest.mark.parametrize("seed", [WARNED, REQUEUED, AGAIN, MOVED])
def test_interrupted_trial_equals_uninterrupted(seed: int, disturbed: DisturbedSweep) -> None:
    record, uninterrupted = disturbed.record(seed), disturbed.undisturbed(seed)
    assert record.status()["attempt"] > uninterrupted.status()["attempt"] == 1
    assert weights_sha256(record) == weights_sha256(uninterrupted)
