"""The processes of one trial on this computer: forked from the warm server, met at a port.

The server (multiprocessing's forkserver) imports torch, timm and open_clip once, so a process costs
tens of milliseconds instead of seconds. Where its forks would not do, each process is started anew.
"""

import json
import multiprocessing
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.local.child import IMAGES, PRELOAD, SEARCHING, check_cuda, measure, run
from clip_hparam.launch.resources import gpu_groups, visible_gpus
from clip_hparam.planning.cost import TrialCost

if TYPE_CHECKING:
    from clip_hparam.distributed import DistributedContext

ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
HERE = "127.0.0.1"
MANY = 20  # trials for which huge pages in the warm server are worth making
PAGES = "clip_hparam.launch.local.huge_pages"


def expect(trials: int) -> None:
    """Say how many are coming, before the first is started."""
    if trials >= MANY and PAGES not in PRELOAD:
        PRELOAD.append(PAGES)


def warm_up(job: TrialSpec) -> ForkServerContext | SpawnContext:
    """How processes of the job are started; the warm server, if it is to be, runs from now on."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    if sys.platform != "linux":  # the libraries of others do not take a fork
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD + SEARCHING * bool(job.worker))
    os.environ[IMAGES] = json.dumps(asdict(job.recipe.data))
    forkserver.ensure_running()
    wants_cuda = job.machine.device.startswith("cuda") or bool(visible_gpus(job.machine.device))
    if wants_cuda and not _cuda_takes_a_fork():
        return multiprocessing.get_context("spawn")
    return context


@cache
def _cuda_takes_a_fork() -> bool:
    """Not if something that the warm server imports (a plug-in, sitecustomize) has touched CUDA."""
    process = multiprocessing.get_context("forkserver").Process(target=check_cuda)
    process.start()
    process.join()
    if process.exitcode:
        print("CUDA was touched before a trial began: each trial imports torch anew, in seconds")
    return not process.exitcode


def start(job: TrialSpec, gpus: str | None = None) -> list[BaseProcess]:
    """A trial in processes of its own, rank 0 first; `gpus` is their CUDA_VISIBLE_DEVICES."""
    with _listen_socket(job) as listen_socket:
        return _started(job, range(job.gpus_per_trial), gpus, listen_socket)


@contextmanager
def lead(job: TrialSpec) -> Iterator["DistributedContext"]:
    """This process as rank 0 of a trial; the others run while the block does.

    Raises ValueError if there are not enough GPUs.
    """
    from clip_hparam.distributed import (
        create_context,  # torch: not for those who only start processes
    )

    gpu_groups(job.gpus_per_trial, job.machine.device)
    with _listen_socket(job) as listen_socket:
        others = _started(job, range(1, job.gpus_per_trial), None, listen_socket)
        try:
            yield create_context(
                _environment(job, 0, listen_socket), job.machine.rank_timeout, listen_socket
            )
        finally:
            end(others)


def end(processes: Sequence[BaseProcess]) -> None:
    """Kill the ranks of a trial that is over, all at once, and wait until they are gone."""
    for process in processes:
        process.kill()
    for process in processes:
        process.join()


def measured(job: TrialSpec) -> TrialCost | None:
    """What the job costs by a few steps of it, run in a process of its own.

    None if that process dies. Raises what the trial would.
    """
    try:
        with ProcessPoolExecutor(1, mp_context=warm_up(job)) as pool:
            return pool.submit(measure, job.to_dict()).result()
    except BrokenProcessPool:
        return None


def _started(
    job: TrialSpec, ranks: range, gpus: str | None, listen_socket: socket.socket | None
) -> list[BaseProcess]:
    context = warm_up(job)
    own = {} if gpus is None else {"CUDA_VISIBLE_DEVICES": gpus}
    processes: list[BaseProcess] = [
        context.Process(
            target=run,
            args=(
                job.to_dict(),
                _environment(job, rank, listen_socket) | own,
                None if rank else listen_socket,
            ),
        )
        for rank in ranks
    ]
    for process in processes:
        process.start()
    return processes


@contextmanager
def _listen_socket(job: TrialSpec) -> Iterator[socket.socket | None]:
    """A socket that listens where the ranks of a trial will meet; None where there is but one.

    It is handed to rank 0 open, so that no other program can take its port.
    """
    if job.gpus_per_trial == 1:
        yield None
        return
    with socket.create_server((HERE, 0), backlog=job.gpus_per_trial) as listen_socket:
        yield listen_socket


def _environment(job: TrialSpec, rank: int, listen_socket: socket.socket | None) -> dict[str, str]:
    """What `ranks.ranks_of` reads."""
    if listen_socket is None:
        return {}
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": job.gpus_per_trial}
    meeting = {"MASTER_ADDR": HERE, "MASTER_PORT": listen_socket.getsockname()[1]}
    return {name: str(value) for name, value in {**place, **meeting}.items()}
