"""Why a process of a trial ended without recording it: its signal, and what to type next."""

import signal
from collections.abc import Sequence

from clip_hparam.config.knob import AUTO
from clip_hparam.config.worker_spec import LaunchSpec
from clip_hparam.records.record import Record
from clip_hparam.records.state import TrialState
from clip_hparam.subprocesses import signal_cause


def exit_cause(code: int | None, spec: LaunchSpec, at_once: int) -> str:
    """Return the cause in an exit code of a process, negative for a signal.

    at_once: number of trials that ran at a time.
    """
    if code is None or code >= 0:
        return f"exit code {code}"
    advice = f": {_less_memory(spec, at_once)}" if code == -signal.SIGKILL else ""
    return signal_cause(-code) + advice


def lost_rank_cause(codes: Sequence[int | None], spec: LaunchSpec, at_once: int) -> str:
    """Return which ranks but rank 0 a signal ended; empty if none.

    codes: exit codes of ranks 0, 1, ...
    """
    return "; ".join(
        f"rank {rank} ended by {exit_cause(code, spec, at_once)}"
        for rank, code in enumerate(codes)
        if rank and code is not None and code < 0
    )


def record_lost_ranks(codes: Sequence[int | None], spec: LaunchSpec, at_once: int) -> None:
    """Add to the failure that rank 0 has recorded which signal ended another rank.

    codes: exit codes of ranks 0, 1, ..., before the others were killed.
    """
    record = Record(spec.machine.runs, spec.trial_id)
    failure, cause = record.failure() or {}, lost_rank_cause(codes, spec, at_once)
    if cause and failure.get("kind") == TrialState.LOST and not record.result():
        message = f"{failure['message']}; {cause}"
        record.write_failure(TrialState.LOST, TrialState.LOST, message)


def _less_memory(spec: LaunchSpec, at_once: int) -> str:
    """Return overrides with which the trial needs less memory."""
    words = []
    if at_once > 1:
        words.append("workers=1")
    workers = spec.machine.loader_workers
    if workers if workers != AUTO else spec.recipe.data.root:  # auto: for images in files
        words.append("machine.loader_workers=0")
    share = spec.machine.images_at_once(spec.recipe.batch_size) // spec.gpus_per_trial
    divisors = [n for n in range(1, share) if share % n == 0]
    if divisors:
        words.append(f"machine.micro_batch={divisors[-1] * spec.gpus_per_trial}")
    return f"type {' or '.join(words)}" if words else "a smaller resolution or encoder needs less"
