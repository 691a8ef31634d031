"""Why a process of a trial ended without recording it: its signal, and what to type next."""

import signal
from collections.abc import Sequence

from clip_hparam.config.knob import AUTO
from clip_hparam.config.worker_spec import LaunchSpec


def exit_cause(code: int | None, spec: LaunchSpec, at_once: int) -> str:
    """Return the cause in an exit code of a process, negative for a signal.

    at_once: number of trials that ran at a time.
    """
    if code is None or code >= 0:
        return f"exit code {code}"
    name = f"signal {-code} ({signal_name(-code)})"
    if code == -signal.SIGKILL:
        return (
            f"{name}, often sent by the kernel's out-of-memory killer, which dmesg tells:"
            f" {_less_memory(spec, at_once)}"
        )
    if code == -signal.SIGBUS:
        return f"{name}, often because /dev/shm or the disk is full: df -h /dev/shm tells"
    return name


def lost_rank_cause(codes: Sequence[int | None], spec: LaunchSpec, at_once: int) -> str:
    """Return which ranks but rank 0 a signal ended; empty if none.

    codes: exit codes of ranks 0, 1, ...
    """
    return "; ".join(
        f"rank {rank} ended by {exit_cause(code, spec, at_once)}"
        for rank, code in enumerate(codes)
        if rank and code is not None and code < 0
    )


def signal_name(number: int) -> str:
    """Return the name of a signal, such as SIGKILL."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return "of real time"


def _less_memory(spec: LaunchSpec, at_once: int) -> str:
    """Return what to type for a trial that needs less memory."""
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
