"""What the stages of a study measured and cost, by the records."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from clip_hparam.records.manifest import ManifestCell, newest_by_name, read_manifests
from clip_hparam.records.metrics import seconds_spent
from clip_hparam.records.record import Record
from clip_hparam.sweep.stages import STAGES

CellResults = tuple[ManifestCell, list[dict[str, Any]]]
"""A cell of a manifest, and the sealed results of its trials."""


@dataclass(frozen=True)
class StageResults:
    """Of the study of a name."""

    name: str
    runs: Path

    def cell_results(self, stage: str) -> list[CellResults]:
        """Cells of a stage all of whose trials are done."""
        found = []
        for cell in self._cells(stage):
            results = [Record(self.runs, name).result() for name in cell.trials.values()]
            if results and all(results):
                found.append((cell, [result for result in results if result]))
        return found

    def _cells(self, stage: str) -> Sequence[ManifestCell]:
        """Return the cells of the stage's newest manifest, none before the stage has started."""
        manifest = newest_by_name(read_manifests(self.runs)).get(f"{self.name}_{stage}")
        return manifest.cells if manifest else ()

    def mean_trial_seconds(self) -> float:
        """Mean seconds of the trials so far that ran all of their epochs.

        Raises ValueError if not even one of the reference is done.
        """
        costs = [
            result["cost"]["seconds"]
            for stage in ("reference", "screening")
            for _, results in self.cell_results(stage)
            for result in results
        ]
        if not costs:
            raise ValueError("no trial of the reference is done: clip-hparam status shows why")
        return fmean(costs)

    def spent(self) -> float:
        """Seconds of all trials of the study, also of pruned ones."""
        ids = {
            trial
            for stage in STAGES
            for cell in self._cells(stage)
            for trial in cell.trials.values()
        }
        return sum(seconds_spent(Record(self.runs, trial)) for trial in ids)


def mean_selection_accuracy(one: CellResults) -> float:
    """Mean accuracy on the selection set, of the weights that are reported."""
    return fmean(r["metrics"][f"selection_acc1.{r['selected_weights']}.selected"] for r in one[1])
