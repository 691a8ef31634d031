"""Sweeps on Slurm as users type them, and what became of their jobs."""

import json
import signal
from pathlib import Path

from commands import records, wait_until
from slurm.cluster import Cluster

from clip_hparam.launch.arrays import Array, arrays
from clip_hparam.records import Record

SLURM = ("hydra/launcher=submitit_slurm", "hydra.launcher.timeout_min=30")
LONG = ("epochs=2000", "data.epoch_images=100", "machine.checkpoint_seconds=0")
"""Ends only by what a test does to it."""


def sent(folder: Path) -> list[Array]:
    return arrays(folder / "runs")


def job_of(folder: Path, record: Record) -> str:
    """Id of the newest job of a trial."""
    handles = [handle for array in sent(folder) for handle in array.handles()]
    return [handle.id for handle in handles if handle.trial_id == record.trial_id][-1]


def train(folder: Path, count: int, seconds: float = 120) -> list[Record]:
    """The records, once so many trials have finished an epoch and are still at it."""
    wait_until(lambda: sum(bool(record.rows()) for record in records(folder)) >= count, seconds)
    return sorted(records(folder), key=lambda record: seed_of(record))


def seed_of(record: Record) -> int:
    recipe = record.recipe()
    assert recipe is not None
    return int(recipe["recipe"]["seed"])


def numbers(record: Record) -> str:
    """All metrics of a trial that is done, epoch by epoch, as text."""
    result = record.result()
    assert result is not None, record.status()
    rows = [
        {k: v for k, v in row.items() if "sec" not in k and "img" not in k} for row in record.rows()
    ]
    return json.dumps([result["metrics"], rows])


def warn(slurm: Cluster, job: str) -> None:
    """Send what Slurm sends before a time limit."""
    slurm("scancel", f"--signal={signal.SIGUSR2.name}", job)
