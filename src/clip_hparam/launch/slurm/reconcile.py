"""The state of a trial that was submitted to Slurm, from its record and the state of its job.

The record decides; Slurm only adds whether the job still exists. A record that an earlier job wrote
is ignored: status.json holds the job id and the time.
"""

import re
from typing import Any

from clip_hparam.launch.base import JobHandle
from clip_hparam.launch.slurm.memory import OUT_OF_MEMORY_PATTERN, memory_advice
from clip_hparam.launch.slurm.queries import GONE, SlurmJobState
from clip_hparam.records.lock import FolderLockedError, lock_folder
from clip_hparam.records.record import Record
from clip_hparam.records.state import LIVE, TrialState, unsealed_state

FAILURE_KINDS = {"TIMEOUT": "timeout", "OUT_OF_MEMORY": "memory", "CANCELLED": "cancelled"}
STATE_OF_KIND = {
    "timeout": TrialState.TIMEOUT,
    "cancelled": TrialState.CANCELLED,
    "memory": TrialState.FAILED,
}
SLURM_LINE_PATTERN = re.compile(r"((srun|slurmstepd|slurmd|sbatch)(-[^\s:]+)?|/.*slurm_script): ")
MAX_REASON_LINES = 3
NEVER_STARTED = (
    "Slurm no longer has job {}, which never started: it was cancelled (scancel), or its node"
    " cannot write to the runs folder; the same command runs it again"
)


def reconciled_state(
    record: Record, handle: JobHandle, job: SlurmJobState, submitted: str
) -> TrialState:
    """Return the state of a trial; LOST if its job has ended and the record has no end.

    submitted: UTC time of the submission; an older record is of an earlier job.
    """
    if record.is_done():
        return TrialState.DONE
    if job.is_pending:
        return TrialState.HELD if job.is_held else TrialState.QUEUED
    status = record.status()
    if status.get("job") != handle.id and status.get("heartbeat", "") <= submitted:
        status = {}
    if status.get("state") == TrialState.HELD:  # its job has started since, or left the queue
        status = {}
    if job.is_active:
        return unsealed_state(status, absent=TrialState.QUEUED, alive=True)
    if _pool_failure(record, handle):
        return TrialState.LOST
    return unsealed_state(status, absent=TrialState.LOST, alive=False)


def record_end(
    record: Record, handle: JobHandle, job: SlurmJobState, stderr: str, script: str = ""
) -> TrialState:
    """Record the end of a trial whose job ended without recording it, and return its state.

    The state is RUNNING, and nothing is written, if a process still locks the record.
    stderr: what Slurm and the job wrote to stderr. script: the batch script of the job.
    """
    try:
        with lock_folder(record.folder):
            if record.is_done():
                return TrialState.DONE
            memory = OUT_OF_MEMORY_PATTERN.search(stderr)
            kind = "memory" if memory else FAILURE_KINDS.get(job.state, "lost")
            printed = memory[0].strip() if memory else printed_reason(stderr)
            message = _failure_message(job, handle, kind, printed, script)
            if job == GONE and not printed and record.status().get("state") not in LIVE:
                message = NEVER_STARTED.format(handle.id)
            failure = _pool_failure(record, handle)
            if failure and kind != "memory":
                kind, message = "lost", failure["message"]
            state = STATE_OF_KIND.get(kind, TrialState.LOST)
            record.write_status(state, job=handle.id)
            record.write_failure(state, kind, message, slurm=job.state, printed=stderr[-2000:])
            return state
    except FolderLockedError:
        return TrialState.RUNNING


def is_end_recorded(record: Record, handle: JobHandle) -> bool:
    """Return whether `record_end` has recorded a trial of this job as lost."""
    status = record.status()
    recorded = (status.get("state"), status.get("job")) == (TrialState.LOST, handle.id)
    return recorded and "slurm" in (record.failure() or {})


def _pool_failure(record: Record, handle: JobHandle) -> dict[str, Any] | None:
    """Return the failure that the pool recorded for a killed process whose job kept running.

    None if it recorded none. Slurm reports an out-of-memory kill only when the job ends.
    """
    failure = record.failure() or {}
    status = record.status()
    recorded = (status.get("state"), status.get("job")) == (TrialState.LOST, handle.id)
    return failure if recorded and "slurm" not in failure else None


def record_hold(record: Record, handle: JobHandle, job: SlurmJobState) -> None:
    """Record that the job of a trial waits for a person, unless that is recorded already."""
    status = record.status()
    if (status.get("state"), status.get("job")) == (TrialState.HELD, handle.id):
        return
    sentence = f"Slurm holds job {handle.id} ({job.reason}): scontrol release {handle.id}"
    if job.is_unsatisfiable:
        sentence = (
            f"Slurm cannot start job {handle.id} as it is ({job.reason}): scancel {handle.id}, and"
            " change hydra.launcher.partition, account, qos, nodes, cpus_per_task, mem_gb,"
            " constraint or timeout_min"
        )
    record.write_status(TrialState.HELD, job=handle.id)
    record.write_failure(TrialState.HELD, "held", sentence, slurm=job.state)


def printed_reason(stderr: str) -> str:
    """Return the lines by which Slurm explains the end of a job, else the last line of stderr."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    by_slurm = [line for line in lines if SLURM_LINE_PATTERN.match(line)]
    return "; ".join(dict.fromkeys(by_slurm[-MAX_REASON_LINES:] or lines[-1:]))


def _failure_message(
    job: SlurmJobState, handle: JobHandle, kind: str, printed: str, script: str
) -> str:
    advice = {
        "timeout": ": it reached its time limit and could not save its state;"
        " raise hydra.launcher.timeout_min or signal_delay_s",
        "memory": f": it exceeded its memory; {memory_advice(printed, script)}",
        "cancelled": ": the same command runs it again",
        "lost": ""
        if printed
        else ": no reason was recorded; can its node write to the runs folder?",
    }
    code = f" {job.code}" if job.code not in ("", "0:0") else ""
    shown = f" ({printed})" if printed and kind in ("memory", "lost") else ""
    return f"Slurm job {handle.id} ended {job.state}{code}{advice[kind]}{shown}"
