"""The interface between a sweep and the launchers that run its trials.

A launcher takes the specs of trials, or of the workers of a search, and returns handles. Handles
are plain JSON, so that another process can poll them later. The result of a trial is in its record;
a launcher only adds whether the job of the trial still exists.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.config.worker_spec import LaunchSpec
from clip_hparam.records.record import Record
from clip_hparam.records.state import TrialState, trial_state


@dataclass(frozen=True)
class JobHandle:
    """A trial that was submitted: its launcher, and its id there, such as a Slurm job id."""

    trial_id: str
    launcher: str
    id: str


@dataclass(frozen=True)
class LaunchContext:
    """The arguments of a launcher: the sweep, the driver's keys, and the launcher's options."""

    sweep_id: str
    sweep_name: str
    runs: Path
    driver: SweepOptions
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Capacity:
    """How many trials run at a time; `description` is printed after the predicted time.

    request: what each job asks a scheduler for, as printed in a plan; empty without a scheduler.
    answers: what the scheduler answers to it, as sentences of the plan.
    """

    at_once: int
    description: str
    request: str = ""
    answers: tuple[str, ...] = ()


class Launcher(Protocol):
    """Runs trials; the sweep driver and the search driver call these methods only.

    survives_driver: whether its trials continue when the driver exits.
    """

    survives_driver: bool

    def capacity(self, specs: Sequence[LaunchSpec]) -> Capacity:
        """Return how many of these trials would run at a time; start nothing."""
        ...

    def submit(self, specs: Sequence[LaunchSpec]) -> list[JobHandle]:
        """Start or queue the trials, and return a handle of each, in their order."""
        ...

    def poll(self, handles: Sequence[JobHandle]) -> dict[str, TrialState]:
        """Return the state of each trial, and start waiting trials. Returns within seconds."""
        ...

    def cancel(self, handles: Sequence[JobHandle]) -> None:
        """Stop the trials; those that run save their state first."""
        ...


class BlockingLauncher:
    """Base of launchers whose `submit` runs all trials and returns when they have ended."""

    survives_driver = False

    def __init__(self) -> None:
        self.specs: dict[str, LaunchSpec] = {}

    def poll(self, handles: Sequence[JobHandle]) -> dict[str, TrialState]:
        """Return the states on record."""
        return {handle.trial_id: state_on_record(self.specs[handle.trial_id]) for handle in handles}

    def cancel(self, handles: Sequence[JobHandle]) -> None:
        """Do nothing: no trial runs between two calls."""


def state_on_record(spec: LaunchSpec) -> TrialState:
    """Return the state of a trial whose process has ended; LOST without a final state."""
    record = Record(spec.machine.runs, spec.trial_id)
    return trial_state(record, absent=TrialState.LOST, alive=False)
