"""A point of a search while a worker trains it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from optuna.trial import Trial

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.records.record import Record
from clip_hparam.records.state import TrialState, is_alive
from clip_hparam.search.objective import Rows
from clip_hparam.search.spec import SearchSpec

STOPPED_STATES = (TrialState.QUEUED, TrialState.CANCELLED)
"""States of trials whose process ended on request, so that their worker was not lost."""


@dataclass
class Point:
    """A point of a search while it is trained: its trials and its reports to Optuna.

    trial_specs: the trial of each replicate, by seed.
    is_repeated: its trials ran before, in an earlier point of the same search or under a worker
        whose process ended. Trials that ended are then not run again.
    reported_steps: values that Optuna has already received, by step.
    """

    number: int
    trial_specs: Mapping[int, TrialSpec]
    search: SearchSpec
    trial: Trial
    is_repeated: bool = False
    reported_steps: dict[int, float] = field(default_factory=dict)

    @property
    def records(self) -> list[Record]:
        """Records of the trials, in the order of the seeds."""
        return [Record(spec.machine.runs, spec.trial_id) for spec in self.trial_specs.values()]

    def report_epochs(self, rows: Rows) -> bool:
        """Report the epochs of the first replicate so far; return whether to prune the point."""
        if not self.search.goal.has_curve or self.search.pruner["name"] == "wilcoxon":
            return False
        return self._report_curve(self.search.goal.curve(rows))

    def report_replicates(self, results: Sequence[Mapping[str, Any]]) -> bool:
        """Report the replicates that are done; return whether to skip the remaining ones."""
        if self.search.pruner["name"] != "wilcoxon":
            return False
        values = (self.search.goal.values([result])[0] for result in results)
        return self._report_curve(dict(enumerate(values)))

    def is_running(self) -> bool:
        """Return whether a live process runs one of the trials."""
        statuses = [record.status() for record in self.records]
        return any(
            status.get("state") == TrialState.RUNNING and is_alive(status) for status in statuses
        )

    def was_stopped(self) -> bool:
        """Return whether a trial ended on request and can be continued."""
        return any(record.status().get("state") in STOPPED_STATES for record in self.records)

    def write_lost(self) -> None:
        """Record the trials that are not done as lost."""
        for record in self.records:
            if not record.is_done():
                record.write_failure(
                    TrialState.LOST, "lost", "its worker was lost, more often than retries allows"
                )

    def _report_curve(self, curve: Mapping[int, float]) -> bool:
        """Report each new step in order, because a pruner compares points at equal steps."""
        prune = False
        for step, value in curve.items():
            if step not in self.reported_steps:
                self.trial.report(value, step)
                self.reported_steps[step] = value
                prune = self.trial.should_prune()
        return prune
