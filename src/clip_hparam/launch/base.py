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
from clip_hparam.records.state import LIVE


@dataclass(frozen=True)
class Handle:
    """Where a trial was sent: launcher, and the id it has there (pid, job id, ...)."""

    trial_id: str
    launcher: str
    id: str


@dataclass(frozen=True)
class Order:
    """What one of our launchers is made for: a sweep, the driver's keys, and its own options."""

    sweep_id: str
    sweep_name: str
    runs: Path
    driver: SweepOptions
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Room:
    """How many trials run at a time, and where, in words that follow "predicted time"."""

    at_once: int
    words: str


class Launcher(Protocol):
    """Runs trials somewhere; the sweeper and the search call nothing else.

    `outlives`: its trials go on when the driver ends.
    """

    outlives: bool

    def room(self, jobs: Sequence[TrialSpec]) -> Room: ...

    def submit(self, jobs: Sequence[TrialSpec]) -> list[Handle]: ...

    def poll(self, handles: Sequence[Handle]) -> dict[str, str]:
        """State of each trial; moves what waits. Never blocks for long."""
        ...

    def cancel(self, handles: Sequence[Handle]) -> None: ...


def state_on_record(job: TrialSpec) -> str:
    """What the folder of a trial says that nothing works on any more."""
    record = Record(job.machine.runs, job.trial_id)
    if record.result():
        return "done"
    state: str = record.status().get("state", "lost")
    return "lost" if state in LIVE else state
