"""The state of a trial: the state on record, unless the process that wrote it has ended."""

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol


class TrialState(StrEnum):
    """The states of a trial; status.json holds the lower-case names.

    QUEUED: waits for a worker or for Slurm, also after it saved its state and stopped.
    LOST: its process ended without writing how.
    HELD: Slurm holds its job until a person releases it, or changes what it asks for.
    PRUNED: a search stopped it early.
    """

    PLANNED = "planned"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    DIVERGED = "diverged"
    LOST = "lost"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    HELD = "held"
    PRUNED = "pruned"


LIVE = (TrialState.QUEUED, TrialState.RUNNING)
"""States of trials that a process or a scheduler still works on."""
SCHEDULED = (*LIVE, TrialState.HELD)
"""States of trials whose job the scheduler still has."""
FINISHED = (TrialState.DONE, TrialState.PRUNED)
"""States of trials that a sweep has no reason to run again."""
STATES = tuple(state.value for state in TrialState)
HEARTBEAT_TIMEOUT_SECONDS = 60.0  # a live trial writes a heartbeat every 5 s


class TrialFiles(Protocol):
    """The files from which the state of a trial follows; `record.Record` reads them."""

    def result(self) -> dict[str, Any] | None: ...

    def status(self) -> dict[str, Any]: ...


def trial_state(
    trial: TrialFiles, absent: TrialState = TrialState.PLANNED, alive: bool | None = None
) -> TrialState:
    """Return the state of a trial by its record; LOST if its process ended without one.

    absent: state of a trial without a status.json.
    alive: whether its process still runs; None: find out by process id or heartbeat.
    """
    return TrialState.DONE if trial.result() else unsealed_state(trial.status(), absent, alive)


def unsealed_state(
    status: Mapping[str, Any], absent: TrialState = TrialState.PLANNED, alive: bool | None = None
) -> TrialState:
    """Return the state that status.json holds; LOST if its process ended without one.

    DONE without a result.json: a search worker, or a trial that is about to write it. The other
    arguments are those of `trial_state`.
    """
    written = status.get("state")
    state = TrialState(written) if written in STATES else absent
    if state not in LIVE or (is_alive(status) if alive is None else alive):
        return state
    return TrialState.LOST


def is_alive(status: Mapping[str, Any]) -> bool:
    """Return whether status.json has a live state and the process that wrote it still runs.

    On the host of that process its id is looked up, elsewhere the heartbeat must be recent.
    """
    if status.get("state") not in LIVE:
        return False
    if status.get("host") == platform.node() and "pid" in status:
        return _process_exists(int(status["pid"]))
    beat = datetime.fromisoformat(status["heartbeat"])
    return (datetime.now(UTC) - beat).total_seconds() < HEARTBEAT_TIMEOUT_SECONDS


def _process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
