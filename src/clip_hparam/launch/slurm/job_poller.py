"""Notice when the Slurm job of a trial has ended, also by a kill, and record the end of the trial.

Works from any process on the same file system. reconcile.py decides the state of one trial.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clip_hparam.launch.base import JobHandle
from clip_hparam.launch.slurm.commands import SchedulerError, run_command
from clip_hparam.launch.slurm.job_array import JobArray, chunks, list_job_arrays
from clip_hparam.launch.slurm.queries import (
    GONE,
    QUERY_PERIOD_SECONDS,
    SlurmJobState,
    SlurmQueue,
    find_array_id,
)
from clip_hparam.launch.slurm.reconcile import (
    is_end_recorded,
    reconciled_state,
    record_end,
    record_hold,
)
from clip_hparam.launch.slurm.waiting import NO_REASON
from clip_hparam.records.record import Record
from clip_hparam.records.state import SCHEDULED, TrialState

LOST_SETTLE_SECONDS = 3.0  # a result.json may appear this late on a network disk
MAX_IDS_PER_CALL = 500  # ids on one command line


@dataclass
class JobPoller:
    """The states of the trials of some Slurm job arrays.

    states: the last known state of each handle.
    updated: when the states were updated, on the monotonic clock.
    reasons: why Slurm has not started the job of a queued trial, as squeue tells it.
    lost_since: when a poll first found that the job of a trial is gone and its record has no end.
    """

    arrays: list[JobArray]
    queue: SlurmQueue = field(default_factory=SlurmQueue)
    states: dict[JobHandle, TrialState] = field(default_factory=dict)
    updated: float = float("-inf")
    reasons: dict[JobHandle, str] = field(default_factory=dict)
    lost_since: dict[JobHandle, float] = field(default_factory=dict)

    def poll(self, handles: Sequence[JobHandle]) -> dict[str, TrialState]:
        """Return the state of each trial, at most QUERY_PERIOD_SECONDS old.

        Raises: SchedulerError if Slurm has never responded.
        """
        if time.monotonic() - self.updated >= QUERY_PERIOD_SECONDS:
            self._update(handles)
        return {handle.trial_id: self.states[handle] for handle in handles}

    def poll_until_settled(self, handles: Sequence[JobHandle]) -> dict[str, TrialState]:
        """Poll until no trial waits for LOST_SETTLE_SECONDS to be recorded as lost."""
        states = self.poll(handles)
        while self.lost_since:
            time.sleep(QUERY_PERIOD_SECONDS / 4)
            states = self.poll(handles)
        return states

    def _update(self, handles: Sequence[JobHandle]) -> None:
        left = [handle for handle in handles if self.states.get(handle) in (None, *SCHEDULED)]
        ids = set(map(_array_id, left))
        arrays = [array for array in self.arrays if array.job_id in ids]
        jobs = self.queue.query(arrays) if arrays else {}
        for handle in left:
            job = jobs.get(handle.id, GONE)
            self.states[handle] = self._reconcile(handle, job)
            is_queued = self.states[handle] is TrialState.QUEUED and job.is_pending
            self.reasons[handle] = job.reason if is_queued else ""
        self.updated = time.monotonic()

    def _reconcile(self, handle: JobHandle, job: SlurmJobState) -> TrialState:
        """Return the state of a trial, and record a hold or an end that it has not recorded.

        A lost trial is RUNNING until it was seen lost for LOST_SETTLE_SECONDS.
        """
        array = next(array for array in self.arrays if array.job_id == _array_id(handle))
        record = Record(array.runs, handle.trial_id)
        state = reconciled_state(record, handle, job, array.submitted)
        if state is TrialState.HELD:
            record_hold(record, handle, job)
        if state is not TrialState.LOST or job.is_active or is_end_recorded(record, handle):
            self.lost_since.pop(handle, None)
            return state
        since = self.lost_since.setdefault(handle, time.monotonic())
        if time.monotonic() - since < LOST_SETTLE_SECONDS:
            return TrialState.RUNNING
        del self.lost_since[handle]
        return record_end(record, handle, job, array.read_stderr(handle.id), array.read_script())


def create_poller(runs: Path, sweep_id: str = "*") -> JobPoller:
    """Return a poller of all arrays of a sweep, or of all sweeps.

    A job id that a killed driver did not write is looked up in the queue.

    Raises: SchedulerError if such a job id is missing and Slurm does not respond.
    """
    arrays = list_job_arrays(runs, sweep_id)
    for array in arrays:
        if array.job_id is None:
            job_id = find_array_id(array)
            if job_id is not None:
                array.write_job_id(job_id)
    return JobPoller([array for array in arrays if array.job_id is not None])


def newest_handles(poller: JobPoller) -> list[JobHandle]:
    """Return the newest handle of each trial."""
    handles = [handle for array in poller.arrays for handle in array.handles()]
    return list({handle.trial_id: handle for handle in handles}.values())


@dataclass(frozen=True)
class SubmittedTrials:
    """Trials without a result that were submitted to Slurm.

    states: by trial id. reasons: of the queued ones that squeue gives a reason for.
    """

    states: dict[str, TrialState] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


def slurm_states(runs: Path, sweep_id: str = "*") -> dict[str, TrialState]:
    """Return the states of all trials without a result that were submitted to Slurm."""
    return submitted_trials(runs, sweep_id).states


def submitted_trials(runs: Path, sweep_id: str = "*") -> SubmittedTrials:
    """Return all trials without a result that were submitted to Slurm.

    If Slurm does not respond, print a note and return no trials.
    """
    try:
        poller = create_poller(runs, sweep_id)
        handles = newest_handles(poller)
        unfinished = [
            handle for handle in handles if Record(runs, handle.trial_id).result() is None
        ]
        states = poller.poll_until_settled(unfinished)
    except SchedulerError as error:
        print(f"note: {error}", file=sys.stderr)
        return SubmittedTrials()
    known = poller.reasons.items()
    reasons = {handle.trial_id: text for handle, text in known if text not in NO_REASON}
    return SubmittedTrials(states, reasons)


def cancel_jobs(handles: Sequence[JobHandle]) -> None:
    """Cancel the jobs of these handles.

    Raises: SchedulerError if scancel does not respond.
    """
    for ids in chunks(sorted({handle.id for handle in handles}), MAX_IDS_PER_CALL):
        run_command("scancel", *ids)


def _array_id(handle: JobHandle) -> str:
    """Return the job id of the array that a job belongs to: 7 of 7_2."""
    return handle.id.partition("_")[0]
