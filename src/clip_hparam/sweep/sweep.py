"""A compiled design: cells, their replicates, and the trials behind them. No torch, no Hydra."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.design.design import Cell
from clip_hparam.design.racing import Race


@dataclass(frozen=True)
class PlannedTrial:
    """One trial of a sweep: a cell and a replicate of it."""

    cell: Cell
    seed: int
    job: TrialSpec


@dataclass(frozen=True)
class Sweep:
    """A compiled design; `notes` are lines for the reader of its plan.

    With a `race` what is planned is the most that it can come to.
    """

    name: str
    kind: str
    planned: Sequence[PlannedTrial]
    notes: Sequence[str] = ()
    race: Race | None = None

    @property
    def id(self) -> str:
        """Hash of the name and the sorted trial ids: the same question has the same id.

        Of a race the seeds that all cells start with count, so that it keeps its id as it grows.
        """
        surely = self.race.seeds[: self.race.start] if self.race else None
        ids = sorted({p.job.trial_id for p in self.planned if surely is None or p.seed in surely})
        asked = [self.name, ids, *([asdict(self.race)] if self.race else [])]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:12]

    @cached_property
    def cells(self) -> list[Cell]:
        """Each once, in the design's order."""
        return list(dict.fromkeys(plan.cell for plan in self.planned))

    @property
    def runs(self) -> Path:
        return Path(self.planned[0].job.machine.runs)

    @property
    def device(self) -> str:
        return self.planned[0].job.machine.device

    @property
    def repeated(self) -> list[str]:
        """A sentence for each cell whose trials are those of another, or that stands twice."""
        owners: dict[str, str] = {}
        said: dict[str, None] = {}
        for plan in self.planned:
            label, owner = plan.cell.label, owners.get(plan.job.trial_id)
            if owner is None:
                owners[plan.job.trial_id] = label
            else:
                same = "stands twice" if owner == label else f"is the same as {owner}"
                said[f"{label} {same}: its trials run once"] = None
        return list(said)

    @cached_property
    def jobs(self) -> dict[str, TrialSpec]:
        """Each trial once, in order."""
        return {plan.job.trial_id: plan.job for plan in self.planned}
