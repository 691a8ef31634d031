"""The entry points of a child process. Imports no torch: the driver imports this module too."""

import os
import signal
import sys
from collections.abc import Callable
from socket import socket
from typing import Any

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.config.worker_spec import LaunchSpec
from clip_hparam.launch.local.logged_trial import run_logged_trial
from clip_hparam.launch.log import redirect_output
from clip_hparam.planning.estimates.cost import TrialCost
from clip_hparam.records.paths import log_path
from clip_hparam.records.state import TrialState
from clip_hparam.subprocesses import exit_with_parent
from clip_hparam.training.callbacks.base import CallbackList, TrialCallback
from clip_hparam.training.callbacks.interrupt import InterruptFlag
from clip_hparam.training.callbacks.stop_flag import StopFlag

PRELOAD = [
    "clip_hparam.training.trial",
    "clip_hparam.launch.local.run",
    "clip_hparam.launch.local.preload",
    "scipy.optimize",  # 0.2 s, which each trial would spend at its end: temperature scaling
]
SEARCH_PRELOAD = ["clip_hparam.search.worker"]
"""Modules that the forkserver imports: for trials, and also for workers of a search."""
IMAGES_VARIABLE = "CLIP_HPARAM_DATA"  # the forkserver's environment: Data of a recipe, as JSON
SAVE_SIGNAL = signal.SIGUSR2  # asks a trial to save its state after the current step and to exit


def rank_main(
    tree: dict[str, Any], environment: dict[str, str], listen_socket: socket | None
) -> None:
    """Run one rank of a trial, the whole trial if it has one rank, and exit.

    environment: rank, world size and CUDA_VISIBLE_DEVICES of this process.
    listen_socket: where rank 0 waits for the other ranks.
    """
    from clip_hparam import distributed  # lazy: torch, 4 s, which the forkserver has imported

    spec = TrialSpec.from_dict(tree)

    def run(stop: TrialCallback) -> str:
        context = distributed.create_context(environment, spec.machine.rank_timeout, listen_socket)
        if context.world_size > 1:
            print(f"rank {context.rank} of {context.world_size} is process {os.getpid()}")
        return run_logged_trial(spec, context, stop).state

    run_in_child(spec, environment, run)


def run_in_child(
    spec: LaunchSpec, environment: dict[str, str], run: Callable[[TrialCallback], str]
) -> None:
    """Call `run` with the output in the log.txt of the spec, and exit: 0 for state DONE, else 1.

    SIGTERM stops it once the state is saved. Ctrl-C and the end of the terminal reach all processes
    and are left to the driver, which then sends SIGTERM to rank 0.
    """
    exit_with_parent()
    os.environ.update(environment)
    interrupt = InterruptFlag()
    is_main = int(environment.get("RANK", 0)) == 0
    signal.signal(signal.SIGTERM, interrupt.handle if is_main else signal.SIG_IGN)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    stop = CallbackList([catch_signals(SAVE_SIGNAL), interrupt])
    redirect_output(log_path(spec.machine.runs, spec.trial_id))
    try:
        state = run(stop)
    except KeyboardInterrupt:
        state = TrialState.CANCELLED
    sys.exit(state != TrialState.DONE)


def catch_signals(*numbers: signal.Signals) -> StopFlag:
    """Handle these signals from now on, and return the flag that records them.

    The signals are unblocked; one that was pending is recorded at once.
    """
    flag = StopFlag()
    for number in numbers:
        signal.signal(number, lambda received, frame: flag.received.append(received))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
    return flag


def measure_in_child(tree: dict[str, Any]) -> TrialCost:
    """Return `throughput.measure_throughput(tree)`, in a process that exits with its parent."""
    from clip_hparam.training.throughput import measure_throughput  # lazy: torch, 4 s

    exit_with_parent()
    return measure_throughput(tree)


def exit_if_cuda_was_forked() -> None:
    """Exit with code 1 if a process before the fork has initialised CUDA, else with 0."""
    import torch  # lazy: 4 s, which the forkserver has imported

    sys.exit(torch.cuda._is_in_bad_fork())
