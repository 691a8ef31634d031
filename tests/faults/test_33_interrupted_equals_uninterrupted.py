"""Whatever a trial went on after, its weights are those of one in peace, bit by bit."""

from hashlib import sha256

import pytest
from support.slurm_disturbed_sweep import AGAIN, MOVED, REQUEUED, WARNED, DisturbedSweep

from clip_hparam.records.record import Record


def weights(record: Record) -> str:
    return sha256((record.folder / "last.safetensors").read_bytes()).hexdigest()


@pytest.mark.parametrize("seed", [WARNED, REQUEUED, AGAIN, MOVED])
def test_the_weights_are_the_same_bits(seed: int, disturbed: DisturbedSweep) -> None:
    record, peace = disturbed.record(seed), disturbed.undisturbed(seed)
    assert record.status()["attempt"] > peace.status()["attempt"] == 1
    assert weights(record) == weights(peace)
