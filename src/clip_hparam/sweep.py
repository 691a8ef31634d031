"""A compiled design: cells, their replicates, and the trials behind them. No torch, no Hydra."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
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
    """A compiled design; `notes` are lines for the reader of its plan."""

    name: str
    kind: str
    planned: Sequence[Planned]
    notes: Sequence[str] = ()

    @property
    def id(self) -> str:
        """Hash of the name and the sorted trial ids: the same question has the same id."""
        ids = sorted({plan.job.trial_id for plan in self.planned})
        return hashlib.sha256(json.dumps([self.name, ids]).encode()).hexdigest()[:12]

    @property
    def runs(self) -> Path:
        return Path(self.planned[0].job.machine.runs)

    @property
    def device(self) -> str:
        return self.planned[0].job.machine.device

    @property
    def repeated(self) -> dict[str, str]:
        """Cells that are another's trials under a second name, and that other's label."""
        first: dict[str, str] = {}
        for plan in self.planned:
            first.setdefault(plan.job.trial_id, plan.cell.label)
        return {
            plan.cell.label: owner
            for plan in self.planned
            if (owner := first[plan.job.trial_id]) != plan.cell.label
        }

    @cached_property
    def jobs(self) -> dict[str, Job]:
        """Each trial once, in order."""
        return {plan.job.trial_id: plan.job for plan in self.planned}
