"""The state of a trial that was sent to Slurm: its folder is the truth, Slurm says if it lives.

A word of an earlier run does not count: status.json names its job and its time.
"""

import re
from typing import Any

from clip_hparam.launch.base import JobHandle
from clip_hparam.launch.slurm.queries import SlurmJobState
from clip_hparam.records.lock import FolderLockedError, lock_folder
from clip_hparam.records.record import Record
from clip_hparam.records.state import TrialState, unsealed_state

FAILURE_KINDS = {"TIMEOUT": "timeout", "OUT_OF_MEMORY": "memory", "CANCELLED": "cancelled"}
STATE_OF_KIND = {
    "timeout": TrialState.TIMEOUT,
    "cancelled": TrialState.CANCELLED,
    "memory": TrialState.FAILED,
}
OUT_OF_MEMORY_PATTERN = re.compile(r"[^\n]*(memory limit|oom.kill)[^\n]*", re.IGNORECASE)
"""Slurm without cgroups calls a job that it killed for its memory just FAILED."""


def reconciled_state(
    record: Record, handle: JobHandle, said: SlurmJobState, submitted: str
) -> TrialState:
    """What is known; "lost" if Slurm has ended the job and the folder does not say how.

    `submitted` is when the job was: what the folder said before that is of an earlier run.
    """
    if record.is_done():
        return TrialState.DONE
    if said.waits:
        return TrialState.HELD if said.is_held else TrialState.QUEUED
    status = record.status()
    if status.get("job") != handle.id and status.get("heartbeat", "") <= submitted:
        status = {}
    if said.lives:
        return unsealed_state(status, absent=TrialState.QUEUED, alive=True)
    if _failure_of_one_process(record, handle):
        return TrialState.LOST
    return unsealed_state(status, absent=TrialState.LOST, alive=False)


def record_end(record: Record, handle: JobHandle, said: SlurmJobState, printed: str) -> str:
    """Write the end of a trial that left no word of its own; its state.

    `printed` is what Slurm wrote beside it. A live process that still holds the folder has the
    last word: then the trial is running.
    """
    try:
        with lock_folder(record.folder):
            if record.is_done():
                return TrialState.DONE
            over = OUT_OF_MEMORY_PATTERN.search(printed)
            kind = "memory" if over else FAILURE_KINDS.get(said.state, "lost")
            sentence = _failure_message(said, handle, kind) + (f" ({over[0]})" if over else "")
            known = _failure_of_one_process(record, handle)
            if known and kind != "memory":
                kind, sentence = "lost", known["message"]
            state = STATE_OF_KIND.get(kind, TrialState.LOST)
            record.write_status(state, job=handle.id)
            record.write_failure(state, kind, sentence, slurm=said.state, printed=printed[-2000:])
            return state
    except FolderLockedError:
        return TrialState.RUNNING


def _failure_of_one_process(record: Record, handle: JobHandle) -> dict[str, Any] | None:
    """The death of a process whose job went on: that it had no memory, Slurm says at the end."""
    failure = record.failure() or {}
    status = record.status()
    if (status.get("state"), status.get("job")) != (
        TrialState.LOST,
        handle.id,
    ) or "slurm" in failure:
        return None
    return failure


def record_hold(record: Record, handle: JobHandle, said: SlurmJobState) -> None:
    """Once: until it is released nothing else happens to it."""
    if record.status().get("state") == TrialState.HELD:
        return
    sentence = f"Slurm holds job {handle.id} ({said.reason}): scontrol release {handle.id}"
    record.write_status(TrialState.HELD, job=handle.id)
    record.write_failure(TrialState.HELD, "held", sentence, slurm=said.state)


def _failure_message(said: SlurmJobState, handle: JobHandle, kind: str) -> str:
    advice = {
        "timeout": ": it reached its time limit and could not save its state;"
        " raise hydra.launcher.timeout_min or signal_delay_s",
        "memory": ": raise hydra.launcher.mem_gb",
        "cancelled": ": the same command runs it again",
        "lost": ": the job died without a word",
    }
    code = f" {said.code}" if said.code not in ("", "0:0") else ""
    return f"Slurm job {handle.id} ended {said.state}{code}{advice[kind]}"
