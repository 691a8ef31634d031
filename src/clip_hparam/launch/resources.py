"""Count the GPUs and CPU cores of this computer and divide them among the trials of a sweep.

CUDA is not initialised: a process that has initialised it cannot fork.
"""

import os
from pathlib import Path

from clip_hparam.config.knob import AUTO
from clip_hparam.config.options.sweep_options import SweepOptions

OTHER_GPU_FILES = ("/dev/kfd", "/dev/dxg", "/dev/nvmap")
"""GPUs that are no /dev/nvidia0: of AMD, in WSL, and of Jetson."""


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
    if device not in (AUTO, "cuda"):
        return []
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [name.strip() for name in given.split(",") if name.strip()]
    return [str(index) for index, _ in enumerate(Path("/dev").glob("nvidia[0-9]*"))]


def validate_device(device: str) -> None:
    """Raise ValueError for a GPU that this computer does not have, before a trial is recorded.

    Device files are counted, because CUDA must not be initialised in a process that forks.
    """
    if not device.startswith("cuda") or any(Path(name).exists() for name in OTHER_GPU_FILES):
        return
    count = len(visible_gpus("cuda"))
    if count <= int(device.partition(":")[2] or 0):
        has = f"{count} GPUs" if count else "no GPU"
        raise ValueError(
            f"machine.device={device}, and this computer has {has}: try machine.device=cpu, or auto"
        )


def available_cores() -> int:
    """Return the CPU cores this process may use: at most those Slurm allocated to its job."""
    count = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return min(count, int(os.environ.get("SLURM_CPUS_ON_NODE", count)))
