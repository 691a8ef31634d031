"""Follow trials that were sent to Slurm, from any login shell: handles on disk in, states out."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clip_hparam.launch.base import JobHandle
from clip_hparam.launch.slurm.job_array import JobArray, chunks, list_job_arrays
from clip_hparam.launch.slurm.queries import (
    GONE,
    QUERY_PERIOD_SECONDS,
    SchedulerError,
    SlurmJobState,
    SlurmQueue,
    find_array_id,
    run_command,
)
from clip_hparam.launch.slurm.reconcile import reconciled_state, record_end, record_hold
from clip_hparam.records.record import Record
from clip_hparam.records.state import LIVE, TrialState

LOST_SETTLE_SECONDS = (
    3.0  # seconds for which a trial must look lost: a network disk may show a result late
)
MAX_IDS_PER_CALL = 500  # ids on one command line


@dataclass
class ArrayTracker:
    """Knows some arrays, and what became of each handle that it was asked about."""

    arrays: list[JobArray]
    scheduler: SlurmQueue = field(default_factory=SlurmQueue)
    states: dict[JobHandle, str] = field(default_factory=dict)
    looked: float = float("-inf")
    lost_since: dict[JobHandle, float] = field(default_factory=dict)

    def poll(self, handles: Sequence[JobHandle]) -> dict[str, str]:
        """State of each trial, at most PERIOD seconds old.

        Raises SchedulerError if Slurm has never answered yet.
        """
        if time.monotonic() - self.looked >= QUERY_PERIOD_SECONDS:
            self._look(handles)
        return {handle.trial_id: self.states[handle] for handle in handles}

    def settled(self, handles: Sequence[JobHandle]) -> dict[str, str]:
        """The same, once it is sure of each trial that looks lost: seconds, if there is one."""
        states = self.poll(handles)
        while self.lost_since:
            time.sleep(QUERY_PERIOD_SECONDS / 4)
            states = self.poll(handles)
        return states

    def _look(self, handles: Sequence[JobHandle]) -> None:
        left = [
            handle
            for handle in handles
            if self.states.get(handle) in (None, *LIVE, TrialState.HELD)
        ]
        ids = {handle.id.partition("_")[0] for handle in left}
        asked = [array for array in self.arrays if array.job_id in ids]
        said = self.scheduler.ask(asked) if asked else {}
        for handle in left:
            self.states[handle] = self._state(handle, said.get(handle.id, GONE))
        self.looked = time.monotonic()

    def _state(self, handle: JobHandle, said: SlurmJobState) -> str:
        """Never "lost" before it has looked so for a while; what is, is put on record then."""
        array = next(one for one in self.arrays if one.job_id == handle.id.partition("_")[0])
        record = Record(array.runs, handle.trial_id)
        state = reconciled_state(record, handle, said, array.submitted)
        if state is TrialState.HELD:
            record_hold(record, handle, said)
        if state is not TrialState.LOST or said.lives:
            self.lost_since.pop(handle, None)
            return state
        since = self.lost_since.setdefault(handle, time.monotonic())
        if time.monotonic() - since < LOST_SETTLE_SECONDS:
            return TrialState.RUNNING
        del self.lost_since[handle]
        return record_end(record, handle, said, array.read_stderr(handle.id))


def create_tracker(runs: Path, sweep_id: str = "*") -> ArrayTracker:
    """Of all arrays of a sweep; ids that a killed driver did not write are found in the queue.

    Raises SchedulerError if they are needed and Slurm cannot be asked.
    """
    known = list_job_arrays(runs, sweep_id)
    for array in known:
        if array.job_id is None:
            job_id = find_array_id(array)
            if job_id is not None:
                array.write_job_id(job_id)
    return ArrayTracker([array for array in known if array.job_id is not None])


def newest_handles(following: ArrayTracker) -> list[JobHandle]:
    """The last handle of each trial."""
    handles = [handle for array in following.arrays for handle in array.handles()]
    return list({handle.trial_id: handle for handle in handles}.values())


def slurm_states(runs: Path, sweep_id: str = "*") -> dict[str, str]:
    """State of every trial that was ever sent to Slurm from this folder, for whoever asks.

    Empty where nothing was. If Slurm cannot be asked a note says so, and the records speak.
    """
    try:
        following = create_tracker(runs, sweep_id)
        left = [
            one for one in newest_handles(following) if Record(runs, one.trial_id).result() is None
        ]
        return following.settled(left)
    except SchedulerError as error:
        print(f"note: {error}", file=sys.stderr)
        return {}


def cancel_jobs(handles: Sequence[JobHandle]) -> None:
    """Raises SchedulerError if Slurm cannot be asked."""
    for some in chunks(sorted({handle.id for handle in handles}), MAX_IDS_PER_CALL):
        run_command("scancel", *some)
