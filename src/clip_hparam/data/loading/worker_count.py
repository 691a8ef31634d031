"""Resolve machine.loader_workers=auto."""

import logging
import os

from clip_hparam.config.knob import AUTO

logger = logging.getLogger(__name__)
CORES_VARIABLE = "CLIP_HPARAM_CORES"  # CPU cores of this process, where a launcher divided them


def resolve_workers(asked: int | str, in_memory: bool, ranks: int) -> int:
    """Return the number of processes that read images for this rank of a trial.

    auto is one for each of the rank's cores but one, and 0 for images in memory.
    ranks: of the trial, which share the cores of this process if no launcher has divided them.
    """
    cores = cores_of_rank(ranks)
    if asked == AUTO:
        return 0 if in_memory else cores - 1
    if int(asked) > cores:
        logger.warning(
            "machine.loader_workers=%s is more than the CPU cores of this process, %d: they slow"
            " each other down",
            asked,
            cores,
        )
    return int(asked)


def cores_of_rank(ranks: int) -> int:
    """Return the CPU cores of this rank, at least 1."""
    if CORES_VARIABLE in os.environ:
        return max(int(os.environ[CORES_VARIABLE]), 1)
    count = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return max(count // ranks, 1)
