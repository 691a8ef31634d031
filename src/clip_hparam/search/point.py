"""A point of a search while it is trained: its trials, and what Optuna hears of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from optuna.trial import Trial

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.records.record import Record
from clip_hparam.search.objective import Rows
from clip_hparam.search.spec import SearchSpec


@dataclass
class Point:
    """Its replicates' jobs by seed.

    again: whether its trials were a point of this search before, of an earlier number or of a
    worker that died: what became of them counts. told: steps that were reported already.
    """

    number: int
    jobs: Mapping[int, TrialSpec]
    search: SearchSpec
    trial: Trial
    again: bool = False
    told: dict[int, float] = field(default_factory=dict)

    def report(self, rows: Rows) -> bool:
        """Take the epochs of the first replicate so far; True if they are not worth another."""
        if not self.search.goal.has_curve or self.search.pruner["name"] == "wilcoxon":
            return False
        return self._reported(self.search.goal.curve(rows))

    def compare(self, results: Sequence[Mapping[str, Any]]) -> bool:
        """Take the replicates that are done; True if the rest are not worth running."""
        if self.search.pruner["name"] != "wilcoxon":
            return False
        values = (self.search.goal.values([result])[0] for result in results)
        return self._reported(dict(enumerate(values)))

    @property
    def records(self) -> list[Record]:
        """Of its trials, in the order of the seeds."""
        return [Record(job.machine.runs, job.trial_id) for job in self.jobs.values()]

    def _reported(self, curve: Mapping[int, float]) -> bool:
        """Step by step, also what was trained before: a pruner compares equal steps."""
        verdict = False
        for step, value in curve.items():
            if step not in self.told:
                self.trial.report(value, step)
                self.told[step] = value
                verdict = self.trial.should_prune()
        return verdict
