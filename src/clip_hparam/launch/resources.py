"""Count the GPUs and CPU cores of this computer and divide them among the trials of a sweep.

CUDA is not initialised: a process that has initialised it cannot fork.
"""

import os
import sys

from clip_hparam.config.knob import AUTO
from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.planning.device_names import gpu_name, processor_name
from clip_hparam.planning.gpus import unusable_gpu_reason, visible_names


def gpu_slots(driver: SweepOptions, device: str) -> list[str | None]:
    """Return CUDA_VISIBLE_DEVICES for each trial that runs at a time; None leaves it as it is.

    If there are more workers than groups of GPUs, several trials share a group.

    Raises: ValueError as `gpu_groups` does.
    """
    size = driver.gpus_per_trial
    groups = gpu_groups(size, device)
    count = len(groups) or (1 if device.startswith("cuda") else max(1, available_cores() // size))
    workers = count if driver.workers == AUTO else int(driver.workers)
    return [groups[worker % len(groups)] if groups else None for worker in range(workers)]


def gpu_groups(size: int, device: str) -> list[str]:
    """Return the visible GPUs in groups of `size`, each as "0,1"; no groups without GPUs.

    Raises: ValueError if there are fewer GPUs than `size`.
    """
    names = visible_gpus(device)
    if names and size > len(names):
        raise ValueError(
            f"gpus_per_trial={size}, and this computer has {len(names)}: try {len(names)}"
        )
    return [",".join(names[end - size : end]) for end in range(size, len(names) + 1, size)]


def visible_gpus(device: str) -> list[str]:
    """Return the names of the GPUs of this computer; none if `device` is a single device."""
    return visible_names() if device in (AUTO, "cuda") else []


def print_device_note(device: str) -> None:
    """Print a sentence to stderr if `auto` is the CPU of a computer with a GPU."""
    reason = unusable_gpu_reason() if device == AUTO else None
    if reason:
        print(f"note: machine.device=auto is the CPU: {reason}", file=sys.stderr)


def local_device_name(device: str) -> str:
    """Return the name of the GPU or the CPU that a trial uses here; "" for an unknown GPU."""
    return gpu_name() if uses_gpu(device) else processor_name()


def uses_gpu(device: str) -> bool:
    """Return whether a trial with this `machine.device` uses a GPU of this computer."""
    return device.startswith("cuda") or bool(visible_gpus(device))


def validate_device(device: str) -> None:
    """Raise ValueError for a GPU that this computer does not have, before a trial is recorded.

    Device files are counted, because CUDA must not be initialised in a process that forks.
    """
    if not device.startswith("cuda"):
        return
    count = len(visible_names())
    if count <= int(device.partition(":")[2] or 0):
        has = f"this computer has {f'{count} GPUs' if count else 'no GPU'}"
        raise ValueError(
            f"machine.device={device}, and {unusable_gpu_reason() or has}:"
            " try machine.device=cpu, or auto"
        )


def available_cores() -> int:
    """Return the CPU cores this process may use: at most those Slurm allocated to its job."""
    count = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return min(count, int(os.environ.get("SLURM_CPUS_ON_NODE", count)))
