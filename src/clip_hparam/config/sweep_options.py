"""Driver keys: how a sweep is driven, at the top level of the config, never hashed.

Standard library only.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clip_hparam.config.knob import AUTO, check, knob


@dataclass(frozen=True)
class Driver:
    """What the driver of a sweep does; none of it changes a trial's number."""

    seeds: Any = None
    dry_run: bool = False
    budget: str = knob("none", "/none|[0-9.]+[smhd]/", "longest predicted time of the whole sweep")
    workers: int | str = knob(
        "auto", "auto | [1, inf)", "trials at a time; auto: one a GPU, else a core"
    )
    gpus_per_trial: int = knob(1, "[1, inf)", "processes of one trial; a GPU each where there are")
    retries: int = knob(1, "[0, inf)", "new attempts of a trial whose process died")
    detach: bool = False
    trials_per_job: int = knob(1, "[1, inf)", "trials that share a Slurm job and all it was given")
    snapshot: bool = True
    eval_test: str = knob("selected", "selected | epoch", "which epochs see the test set")
    keep_checkpoints: str = knob("none", "none | last | best", "weights left in the folder")

    def __post_init__(self) -> None:
        check(self)


def seed_list(seeds: Any) -> list[int] | None:
    """`seeds: 5` is 0 to 4; a list is itself; None says that no replicates are asked for.

    Raises ValueError for anything else, or a seed given twice.
    """
    if seeds is None:
        return None
    if isinstance(seeds, int) and not isinstance(seeds, bool) and seeds > 0:
        return list(range(seeds))
    if isinstance(seeds, list) and seeds and all(isinstance(seed, int) for seed in seeds):
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"seeds={seeds} names a seed twice: each is one replicate")
        return list(seeds)
    raise ValueError(f"seeds={seeds} is neither a number of replicates nor a list: try seeds=5")


def places(driver: Driver, device: str) -> list[str | None]:
    """One for each trial that runs at a time: its CUDA_VISIBLE_DEVICES, or None to leave it.

    Trials share what GPUs or cores there are; with more workers than that, several share a GPU.
    Raises ValueError as `gpu_groups` does.
    """
    size = driver.gpus_per_trial
    groups = gpu_groups(size, device)
    count = len(groups) or (1 if device.startswith("cuda") else max(1, cores() // size))
    workers = count if driver.workers == AUTO else int(driver.workers)
    return [groups[place % len(groups)] if groups else None for place in range(workers)]


def gpu_groups(size: int, device: str) -> list[str]:
    """The GPUs of each of the trials that have room beside each other, as "0,1".

    None where there are no GPUs to share. Raises ValueError if there are fewer than a trial needs.
    """
    names = gpus(device)
    if names and size > len(names):
        raise ValueError(
            f"gpus_per_trial={size}, and this computer has {len(names)}: try {len(names)}"
        )
    return [",".join(names[end - size : end]) for end in range(size, len(names) + 1, size)]


def gpus(device: str) -> list[str]:
    """Names of the GPUs that trials may share, where `device` leaves open which one.

    Found without CUDA: a process that has asked it can no longer fork.
    """
    if device not in (AUTO, "cuda"):
        return []
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [name.strip() for name in given.split(",") if name.strip()]
    return [str(index) for index, _ in enumerate(Path("/dev").glob("nvidia[0-9]*"))]


def cores() -> int:
    """Cores this process may use: no more than Slurm gave its job, which it need not enforce."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(own, int(os.environ.get("SLURM_CPUS_ON_NODE", own)))
