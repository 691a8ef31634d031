"""Read the results and the cost of a campaign's stages from the records."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from clip_hparam.records.manifests.manifest import ManifestCell, read_manifests
from clip_hparam.records.manifests.names import newest_by_name
from clip_hparam.records.metrics import seconds_spent
from clip_hparam.records.paths import command_line
from clip_hparam.records.record import Record
from clip_hparam.sweep.campaigns.stages import STAGES

CellResults = tuple[ManifestCell, list[dict[str, Any]]]
"""A cell of a manifest and the results of all its trials."""


@dataclass(frozen=True)
class StageResults:
    """The results of the stages of the campaign called `name`."""

    name: str
    runs: Path

    def cell_results(self, stage: str) -> list[CellResults]:
        """Return the cells of a stage whose trials are all done."""
        complete = []
        for cell in self._cells(stage):
            results = [Record(self.runs, name).result() for name in cell.trials.values()]
            if results and all(results):
                complete.append((cell, [result for result in results if result]))
        return complete

    def _cells(self, stage: str) -> Sequence[ManifestCell]:
        """Return the cells of the stage's newest manifest, none before the stage has started."""
        manifest = newest_by_name(read_manifests(self.runs)).get(f"{self.name}_{stage}")
        return manifest.cells if manifest else ()

    def mean_trial_seconds(self) -> float:
        """Return the mean seconds of the done trials of the reference and the screening.

        Raises ValueError if no trial of the reference is done.
        """
        costs = [
            result["cost"]["seconds"]
            for stage in ("reference", "screening")
            for _, results in self.cell_results(stage)
            for result in results
        ]
        if not costs:
            command = command_line("status", runs=self.runs)
            raise ValueError(f"no trial of the reference is done: {command} shows why")
        return fmean(costs)

    def spent(self) -> float:
        """Return the seconds of all trials of the campaign, unfinished and pruned ones included."""
        ids = {
            name for stage in STAGES for cell in self._cells(stage) for name in cell.trials.values()
        }
        return sum(seconds_spent(Record(self.runs, name)) for name in ids)
