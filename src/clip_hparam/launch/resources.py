"""Count the GPUs and CPU cores of this computer and divide them among the trials of a sweep.

CUDA is not initialised: a process that has initialised it cannot fork.
"""

import os
from pathlib import Path

from clip_hparam.config.knob import AUTO
from clip_hparam.config.sweep_options import SweepOptions


def gpu_slots(driver: SweepOptions, device: str) -> list[str | None]:
    """One for each trial that runs at a time: its CUDA_VISIBLE_DEVICES, or None to leave it.

    Trials share what GPUs or cores there are; with more workers than that, several share a GPU.
    Raises ValueError as `gpu_groups` does.
    """
    size = driver.gpus_per_trial
    groups = gpu_groups(size, device)
    count = len(groups) or (1 if device.startswith("cuda") else max(1, available_cores() // size))
    workers = count if driver.workers == AUTO else int(driver.workers)
    return [groups[place % len(groups)] if groups else None for place in range(workers)]


def gpu_groups(size: int, device: str) -> list[str]:
    """The GPUs of each of the trials that have room beside each other, as "0,1".

    None where there are no GPUs to share. Raises ValueError if there are fewer than a trial needs.
    """
    names = visible_gpus(device)
    if names and size > len(names):
        raise ValueError(
            f"gpus_per_trial={size}, and this computer has {len(names)}: try {len(names)}"
        )
    return [",".join(names[end - size : end]) for end in range(size, len(names) + 1, size)]


def visible_gpus(device: str) -> list[str]:
    """Names of the GPUs that trials may share, where `device` leaves open which one.

    Found without CUDA: a process that has asked it can no longer fork.
    """
    if device not in (AUTO, "cuda"):
        return []
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [name.strip() for name in given.split(",") if name.strip()]
    return [str(index) for index, _ in enumerate(Path("/dev").glob("nvidia[0-9]*"))]


def available_cores() -> int:
    """Cores this process may use: no more than Slurm gave its job, which it need not enforce."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(own, int(os.environ.get("SLURM_CPUS_ON_NODE", own)))
