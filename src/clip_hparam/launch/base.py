"""The seam between a sweep and what runs its trials.

A launcher takes jobs and gives handles; handles are plain JSON, so that another process can ask
again. What became of a trial stands in its folder: a launcher only adds whether it still lives.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from clip_hparam.config.sweep_options import SweepOptions
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.records.record import Record
from clip_hparam.records.state import TrialState, trial_state


@dataclass(frozen=True)
class JobHandle:
    """Where a trial was sent: launcher, and the id it has there (pid, job id, ...)."""

    trial_id: str
    launcher: str
    id: str


@dataclass(frozen=True)
class LaunchContext:
    """What one of our launchers is made for: a sweep, the driver's keys, and its own options."""

    sweep_id: str
    sweep_name: str
    runs: Path
    driver: SweepOptions
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Capacity:
    """How many trials run at a time, and where, in words that follow "predicted time"."""

    at_once: int
    description: str


class Launcher(Protocol):
    """Runs trials somewhere; the sweeper and the search call nothing else.

    `survives_driver`: its trials go on when the driver ends.
    """

    survives_driver: bool

    def capacity(self, jobs: Sequence[TrialSpec]) -> Capacity: ...

    def submit(self, jobs: Sequence[TrialSpec]) -> list[JobHandle]: ...

    def poll(self, handles: Sequence[JobHandle]) -> dict[str, str]:
        """State of each trial; moves what waits. Never blocks for long."""
        ...

    def cancel(self, handles: Sequence[JobHandle]) -> None: ...


def state_on_record(job: TrialSpec) -> TrialState:
    """Return the state of a trial whose process has ended; LOST if its record holds no end."""
    record = Record(job.machine.runs, job.trial_id)
    return trial_state(record, absent=TrialState.LOST, alive=False)
