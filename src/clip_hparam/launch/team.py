"""The processes of one trial on this computer: forked from the warm server, met at a port.

The server (multiprocessing's forkserver) imports torch, timm and open_clip once, so a process costs
tens of milliseconds instead of seconds. It never touches CUDA, which does not survive a fork.
"""

import multiprocessing
import os
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from typing import TYPE_CHECKING

from clip_hparam.cost import Measured
from clip_hparam.driver import gpu_groups
from clip_hparam.job import Job
from clip_hparam.launch.child import PRELOAD, SEARCHING, measure, run

if TYPE_CHECKING:
    from clip_hparam.ranks import Ranks

ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
HERE = "127.0.0.1"
MANY = 20  # trials for which huge pages in the warm server are worth making
PAGES = "clip_hparam.launch.pages"


def expect(trials: int) -> None:
    """Say how many are coming, before the first is started."""
    if trials >= MANY and PAGES not in PRELOAD:
        PRELOAD.append(PAGES)


def warm_up(job: Job) -> None:
    """Start the server, if it does not run: it takes seconds to import, its forks do not."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    preload = PRELOAD + SEARCHING * bool(job.worker)
    multiprocessing.get_context("forkserver").set_forkserver_preload(preload)
    forkserver.ensure_running()


def start(job: Job, gpus: str | None = None) -> list[ForkServerProcess]:
    """A trial in processes of its own, rank 0 first; `gpus` is their CUDA_VISIBLE_DEVICES."""
    with _door(job) as door:
        return _started(job, range(job.gpus_per_trial), gpus, door)


@contextmanager
def lead(job: Job) -> Iterator["Ranks"]:
    """This process as rank 0 of a trial; the others run while the block does.

    Raises ValueError if there are not enough GPUs.
    """
    from clip_hparam.ranks import ranks_of  # torch: not for those who only start processes

    gpu_groups(job.gpus_per_trial, job.machine.device)
    with _door(job) as door:
        others = _started(job, range(1, job.gpus_per_trial), None, door)
        try:
            yield ranks_of(_environment(job, 0, door), job.machine.rank_timeout, door)
        finally:
            end(others)


def end(processes: Sequence[ForkServerProcess]) -> None:
    """Kill the ranks of a trial that is over, all at once, and wait until they are gone."""
    for process in processes:
        process.kill()
    for process in processes:
        process.join()


def measured(job: Job) -> Measured | None:
    """What the job costs by a few steps of it, run in a process of the warm server.

    None if that process dies. Raises what the trial would.
    """
    warm_up(job)
    try:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("forkserver")) as pool:
            return pool.submit(measure, job.to_dict()).result()
    except BrokenProcessPool:
        return None


def _started(
    job: Job, ranks: range, gpus: str | None, door: socket.socket | None
) -> list[ForkServerProcess]:
    warm_up(job)
    context = multiprocessing.get_context("forkserver")
    own = {} if gpus is None else {"CUDA_VISIBLE_DEVICES": gpus}
    processes = [
        context.Process(
            target=run,
            args=(job.to_dict(), _environment(job, rank, door) | own, None if rank else door),
        )
        for rank in ranks
    ]
    for process in processes:
        process.start()
    return processes


@contextmanager
def _door(job: Job) -> Iterator[socket.socket | None]:
    """A socket that listens where the ranks of a trial will meet; None where there is but one.

    It is handed to rank 0 open, so that no other program can take its port.
    """
    if job.gpus_per_trial == 1:
        yield None
        return
    with socket.create_server((HERE, 0), backlog=job.gpus_per_trial) as door:
        yield door


def _environment(job: Job, rank: int, door: socket.socket | None) -> dict[str, str]:
    """What `ranks.ranks_of` reads."""
    if door is None:
        return {}
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": job.gpus_per_trial}
    meeting = {"MASTER_ADDR": HERE, "MASTER_PORT": door.getsockname()[1]}
    return {name: str(value) for name, value in {**place, **meeting}.items()}
