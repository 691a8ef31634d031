"""The specification of a search worker, which launchers start like a trial."""

from dataclasses import dataclass, replace
from typing import Any

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe
from clip_hparam.config.trial_spec import TrialSpec


@dataclass(frozen=True)
class WorkerSpec:
    """A process that asks a search for points and trains them.

    base: the trial that the points vary; its recipe is not resolved, and it has one rank.
    record_id: path of the worker's record inside `machine.runs`.
    """

    base: TrialSpec
    record_id: str

    @property
    def trial_id(self) -> str:
        """Name by which launchers know the worker: its `record_id`."""
        return self.record_id

    @property
    def recipe(self) -> Recipe:
        return self.base.recipe

    @property
    def machine(self) -> Machine:
        return self.base.machine

    @property
    def gpus_per_trial(self) -> int:
        return self.base.gpus_per_trial

    def with_runs(self, runs: str) -> "WorkerSpec":
        """Return the worker with its records in another folder."""
        return replace(self, base=self.base.with_runs(runs))

    def to_dict(self) -> dict[str, Any]:
        return {**self.base.to_dict(), "worker": self.record_id}

    @classmethod
    def from_dict(cls, tree: dict[str, Any]) -> "WorkerSpec":
        return cls(TrialSpec.from_dict(tree), tree["worker"])


LaunchSpec = TrialSpec | WorkerSpec
"""What a launcher runs."""


def parse_launch_spec(tree: dict[str, Any]) -> LaunchSpec:
    """Return the specification that `to_dict` wrote; the `worker` of a trial is empty."""
    return WorkerSpec.from_dict(tree) if tree.get("worker") else TrialSpec.from_dict(tree)
