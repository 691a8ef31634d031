"""A compiled design: its cells, their replicates, and the trials behind them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from clip_hparam.config.identity import shorten
from clip_hparam.config.options.sweep_options import DEFAULT_FAMILY
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.design.design import Cell
from clip_hparam.design.racing import Race


@dataclass(frozen=True)
class PlannedTrial:
    """A replicate of a cell; cells with equal recipes share their trials."""

    cell: Cell
    spec: TrialSpec

    @property
    def seed(self) -> int:
        return self.spec.recipe.seed

    @property
    def trial_id(self) -> str:
        return self.spec.trial_id


def sweep_title(name: str, typed: Sequence[str]) -> str:
    """Return "lr (data=folder epochs=5)": the name, and the overrides typed for all cells."""
    return f"{shorten(name)} ({' '.join(typed)})" if typed else shorten(name)


@dataclass(frozen=True)
class Sweep:
    """A compiled design.

    family: recipe family, which is not hashed.
    planned: with a race, the largest number of trials that it can come to.
    notes: lines that `dry_run=true` prints below the plan.
    title: the name, and the overrides typed for all cells; title and tags are not hashed.
    """

    name: str
    kind: str
    planned: Sequence[PlannedTrial]
    notes: Sequence[str] = ()
    race: Race | None = None
    family: str = DEFAULT_FAMILY
    title: str = ""
    tags: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Hash of the name and the sorted trial ids.

        With a race only the seeds that all cells start with count, so that the id stays the same
        while the sweep grows.
        """
        counted = self.race.seeds[: self.race.start] if self.race else None
        ids = sorted({p.trial_id for p in self.planned if counted is None or p.seed in counted})
        hashed = [self.name, ids, *([asdict(self.race)] if self.race else [])]
        return hashlib.sha256(json.dumps(hashed).encode()).hexdigest()[:12]

    @cached_property
    def cells(self) -> list[Cell]:
        """Each cell once, in the design's order."""
        return list(dict.fromkeys(plan.cell for plan in self.planned))

    @cached_property
    def specs(self) -> dict[str, TrialSpec]:
        """Each trial once, by its id, in the order of the plan."""
        return {plan.trial_id: plan.spec for plan in self.planned}

    @property
    def device_name(self) -> str:
        """GPU that costs without records are predicted for; empty for the miniature."""
        is_miniature = self.family == DEFAULT_FAMILY
        return "" if is_miniature else self.planned[0].spec.machine.device_name

    @property
    def runs(self) -> Path:
        return Path(self.planned[0].spec.machine.runs)

    @property
    def duplicate_cells(self) -> list[str]:
        """A sentence for each cell that has the trials of another cell or is listed twice."""
        owners: dict[str, str] = {}
        sentences: dict[str, None] = {}
        for plan in self.planned:
            label, owner = plan.cell.label, owners.get(plan.trial_id)
            if owner is None:
                owners[plan.trial_id] = label
            else:
                relation = "stands twice" if owner == label else f"is the same as {owner}"
                sentences[f"{label} {relation}: its trials run once"] = None
        return list(sentences)
