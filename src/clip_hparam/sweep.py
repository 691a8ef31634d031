"""A compiled design: cells, their replicates, and the trials behind them. No torch, no Hydra."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clip_hparam.design import Cell
from clip_hparam.job import Job


@dataclass(frozen=True)
class Planned:
    """One trial of a sweep: a cell and a replicate of it."""

    cell: Cell
    seed: int
    job: Job


@dataclass(frozen=True)
class Sweep:
    """A compiled design."""

    name: str
    kind: str
    planned: Sequence[Planned]

    @property
    def id(self) -> str:
        """Hash of the name and the sorted trial ids: the same question has the same id."""
        ids = sorted({plan.job.trial_id for plan in self.planned})
        return hashlib.sha256(json.dumps([self.name, ids]).encode()).hexdigest()[:12]

    @property
    def runs(self) -> Path:
        return Path(self.planned[0].job.machine.runs)

    @property
    def jobs(self) -> dict[str, Job]:
        """Each trial once, in order."""
        return {plan.job.trial_id: plan.job for plan in self.planned}
