"""A detached sweep whose jobs run as long as the tests need them."""

from dataclasses import dataclass
from pathlib import Path

from clip_hparam.records.record import Record
from support.cli import sweep
from support.slurm_cluster import Cluster
from support.slurm_jobs import LONG, SLURM, pause, submitted_arrays, train

WORDS = (*LONG, *SLURM, "hydra.launcher.max_num_timeout=0")


@dataclass(frozen=True)
class DetachedSweep:
    """Two trials that never end; their processes are stopped, so that they use no CPU."""

    folder: Path
    trials: list[Record]
    out: str


def submit_detached(slurm: Cluster, folder: Path) -> DetachedSweep:
    done = sweep("-m", "seeds=2", *WORDS, "detach=true", cwd=folder)
    assert done.code == 0, done.err
    slurm.kept.update(array.name for array in submitted_arrays(folder))
    trials = train(folder, 2)
    for record in trials:
        pause(record)
    return DetachedSweep(folder, trials, done.out)
