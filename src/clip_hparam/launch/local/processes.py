"""Start the processes of a trial on this computer, as forks of the forkserver.

The forkserver of multiprocessing imports torch, timm and open_clip once: a fork costs 0.03 CPU-s
per trial, a new process 4.4. Where a fork is unsafe each process is spawned.
"""

import json
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.config.worker_spec import LaunchSpec, WorkerSpec
from clip_hparam.data.loading.worker_count import CORES_VARIABLE
from clip_hparam.launch.local.child import (
    IMAGES_VARIABLE,
    PRELOAD,
    SEARCH_PRELOAD,
    exit_if_cuda_was_forked,
    measure_in_child,
    rank_main,
)
from clip_hparam.launch.local.exit_cause import record_lost_ranks
from clip_hparam.launch.local.traced_trials import TRACE_MODULE, TRACED_VARIABLE
from clip_hparam.launch.resources import available_cores, gpu_groups, uses_gpu
from clip_hparam.planning.estimates.cost import TrialCost
from clip_hparam.planning.gpus import visibility_variables

if TYPE_CHECKING:
    from clip_hparam.distributed import DistributedContext

SINGLE_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
LOCALHOST = "127.0.0.1"
HUGE_PAGES_MIN_TRIALS = 20  # huge pages cost 0.4 s once and save 22 ms per trial
HUGE_PAGES_MODULE = "clip_hparam.launch.local.huge_pages"
Entry = Callable[[dict[str, Any], dict[str, str], socket.socket | None], None]


def start_forkserver(
    spec: LaunchSpec, trials: int = 1, traced: Sequence[TrialSpec] = ()
) -> ForkServerContext | SpawnContext:
    """Start the forkserver, once per process, and return the context that starts children.

    Children are spawned instead where a fork is unsafe: off Linux, or after CUDA was initialised.
    trials: how many will be started; for many, the forkserver's memory is moved to huge pages.
    traced: trials whose compiled models the forkserver loads.
    """
    for name in SINGLE_THREAD_VARIABLES:
        os.environ.setdefault(name, "1")
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    preload = PRELOAD + SEARCH_PRELOAD * isinstance(spec, WorkerSpec)
    preload += [TRACE_MODULE] * bool(traced)
    context.set_forkserver_preload(
        preload + [HUGE_PAGES_MODULE] * (trials >= HUGE_PAGES_MIN_TRIALS)
    )
    os.environ[TRACED_VARIABLE] = json.dumps([spec.to_dict() for spec in traced])
    os.environ[IMAGES_VARIABLE] = json.dumps(asdict(spec.recipe.data))
    unblocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    forkserver.ensure_running()  # survives the end of the terminal until the driver exits
    signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)
    if uses_gpu(spec.machine.device) and not _fork_is_safe_for_cuda():
        return multiprocessing.get_context("spawn")
    return context


@cache
def _fork_is_safe_for_cuda() -> bool:
    """Return whether nothing that the forkserver imported has initialised CUDA."""
    process = multiprocessing.get_context("forkserver").Process(target=exit_if_cuda_was_forked)
    process.start()
    process.join()
    if process.exitcode:
        print("CUDA was initialised before the first trial: each trial now imports torch, 4 s")
    return not process.exitcode


def start_ranks(
    spec: LaunchSpec, gpus: str | None = None, entry: Entry = rank_main, at_once: int = 1
) -> list[BaseProcess]:
    """Start the processes of one trial and return them, rank 0 first.

    gpus: CUDA_VISIBLE_DEVICES of the processes (for AMD also HIP_VISIBLE_DEVICES); None leaves it
        as it is.
    at_once: trials that run at a time, which share the CPU cores.
    """
    given = {} if gpus is None else dict.fromkeys(visibility_variables(), gpus)
    given[CORES_VARIABLE] = str(max(available_cores() // (at_once * spec.gpus_per_trial), 1))
    with _listen_socket(spec) as listen_socket:
        return _start_ranks(spec, range(spec.gpus_per_trial), given, listen_socket, entry)


@contextmanager
def as_main_rank(spec: TrialSpec) -> Iterator["DistributedContext"]:
    """Make this process rank 0 of a trial; the other ranks run until the block ends.

    Raises: ValueError if this computer has fewer GPUs than the trial needs.
    """
    from clip_hparam.distributed import create_context  # lazy: torch, 4 s

    gpu_groups(spec.gpus_per_trial, spec.machine.device)
    with _listen_socket(spec) as listen_socket:
        others = _start_ranks(spec, range(1, spec.gpus_per_trial), {}, listen_socket, rank_main)
        environment = _rank_environment(spec, 0, listen_socket)
        try:
            yield create_context(environment, spec.machine.rank_timeout, listen_socket)
        finally:
            codes = [None, *(process.exitcode for process in others)]
            kill(others)
            record_lost_ranks(codes, spec, at_once=1)


def kill(processes: Sequence[BaseProcess]) -> None:
    """Send SIGKILL to all processes, then wait until each has exited."""
    for process in processes:
        process.kill()
    for process in processes:
        process.join()


def time_in_subprocess(spec: TrialSpec, forked: bool) -> TrialCost | None:
    """Return the cost of a trial, measured over a few steps in a subprocess; None if killed.

    forked: fork the subprocess from the forkserver, for a launcher whose trials fork from it too;
        without such trials the forkserver would hold 770 MB until the sweep ends.

    Raises: what the trial raises, such as ValueError for a wrong setting.
    """
    context = start_forkserver(spec) if forked else multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            return pool.submit(measure_in_child, spec.to_dict()).result()
    except BrokenProcessPool:
        return None


def _start_ranks(
    spec: LaunchSpec,
    ranks: range,
    given: Mapping[str, str],
    listen_socket: socket.socket | None,
    entry: Entry,
) -> list[BaseProcess]:
    if not ranks:  # a trial of one rank in this process: the forkserver costs 4 CPU-s of imports
        return []
    context = start_forkserver(spec)
    processes: list[BaseProcess] = []
    for rank in ranks:
        environment = {**_rank_environment(spec, rank, listen_socket), **given}
        arguments = (spec.to_dict(), environment, None if rank else listen_socket)
        processes.append(context.Process(target=entry, args=arguments))
    for process in processes:
        process.start()
    return processes


@contextmanager
def _listen_socket(spec: LaunchSpec) -> Iterator[socket.socket | None]:
    """Yield a listening socket where the ranks of a trial meet; None for a trial of one rank.

    Rank 0 receives the socket open, so that no other program can take its port in between.
    """
    if spec.gpus_per_trial == 1:
        yield None
        return
    with socket.create_server((LOCALHOST, 0), backlog=spec.gpus_per_trial) as listen_socket:
        yield listen_socket


def _rank_environment(
    spec: LaunchSpec, rank: int, listen_socket: socket.socket | None
) -> dict[str, str]:
    """Return the variables that `distributed.create_context` reads; none for a single rank."""
    if listen_socket is None:
        return {}
    values = {
        "RANK": rank,
        "LOCAL_RANK": rank,
        "WORLD_SIZE": spec.gpus_per_trial,
        "MASTER_ADDR": LOCALHOST,
        "MASTER_PORT": listen_socket.getsockname()[1],
    }
    return {name: str(value) for name, value in values.items()}
