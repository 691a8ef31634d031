"""A search on a real Slurm: workers are tasks of an array and need no driver."""

import json
from pathlib import Path

from support.cli import clip_hparam, records, sweep, wait_until
from support.slurm_cluster import Cluster
from support.slurm_jobs import SLURM, submitted_arrays

WORDS = (
    *("-m", "sweeps=search", "hydra.sweeper.n_trials=5", "workers=2"),
    *("epochs=6", "data.epoch_images=100", *SLURM),
)


def states(folder: Path) -> dict[str, int]:
    (search,) = json.loads(clip_hparam("status", "--json", cwd=folder).out)
    counts: dict[str, int] = search["states"]
    return counts


def test_search_continues_without_driver_and_with_a_killed_worker(
    slurm: Cluster, tmp_path: Path
) -> None:
    detached = sweep(*WORDS, "detach=true", cwd=tmp_path)
    assert detached.code == 0, detached.err
    assert "2 workers are submitted" in detached.out
    wait_until(lambda: any(record.rows() for record in records(tmp_path)), 120)
    victim, _ = (handle.id for array in submitted_arrays(tmp_path) for handle in array.handles())
    slurm("scancel", "--signal=KILL", victim)
    again = sweep(*WORDS, cwd=tmp_path)
    assert again.code == 0, again.out + again.err
    assert "5 points:" in again.out
    assert set(states(tmp_path)) <= {"done", "pruned"}
    assert sum(states(tmp_path).values()) == 5
