"""The entry points of a child process. Imports no torch: the driver imports this module too."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from socket import socket
from types import FrameType
from typing import Any

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.planning.cost import TrialCost
from clip_hparam.records.lock import FolderLockedError
from clip_hparam.subprocesses import exit_with_parent
from clip_hparam.training.callbacks.base import Stop

PRELOAD = [
    "clip_hparam.training.trial",
    "clip_hparam.launch.local.run",
    "clip_hparam.launch.local.preload",
]
SEARCH_PRELOAD = ["clip_hparam.search.worker"]
"""Modules that the forkserver imports: for trials, and also for workers of a search."""
IMAGES_VARIABLE = "CLIP_HPARAM_DATA"  # in the environment of the warm server: whose, as JSON
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
SAVE_SIGNAL = signal.SIGUSR2  # asks a trial to save its state after the step it is in, and to end
LOCK_POLL_SECONDS = 0.5  # between two looks at a trial that another sweep is running


def rank_main(
    tree: dict[str, Any], environment: dict[str, str], listen_socket: socket | None
) -> None:
    """Run one rank of a trial, the whole trial if it has one rank, and exit.

    environment: rank, world size and CUDA_VISIBLE_DEVICES of this process.
    listen_socket: where rank 0 waits for the other ranks.
    """
    from clip_hparam import distributed  # lazy: torch, 4 s, which the forkserver has imported
    from clip_hparam.training import trial

    def run(spec: TrialSpec, stop: Stop) -> str:
        own = distributed.create_context(environment, spec.machine.rank_timeout, listen_socket)
        if own.world_size > 1:
            print(f"rank {own.rank} of {own.world_size} is process {os.getpid()}")
        return retry_while_locked(
            lambda: trial.run_trial(spec, say=print, stop=stop, ranks=own), stop
        )

    run_in_child(tree, environment, run)


def run_in_child(
    tree: dict[str, Any], environment: dict[str, str], run: Callable[[TrialSpec, Stop], str]
) -> None:
    """Run a task with its output in its log.txt, and exit: 0 if its state is "done", else 1."""
    exit_with_parent()
    os.environ.update(environment)
    for number in STOP_SIGNALS:
        signal.signal(number, _interrupt_once)
    received = catch_signals(SAVE_SIGNAL)
    spec = TrialSpec.from_dict(tree)
    redirect_output(Path(spec.machine.runs) / spec.trial_id / "log.txt")
    try:
        state = run(spec, lambda: bool(received))
    except KeyboardInterrupt:
        state = "cancelled"
    sys.exit(state != "done")


def catch_signals(*numbers: signal.Signals) -> list[int]:
    """Where these signals are noted from now on, also one that was held back until now."""
    heard: list[int] = []
    for number in numbers:
        signal.signal(number, lambda received, frame: heard.append(received))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
    return heard


def measure_in_child(tree: dict[str, Any]) -> TrialCost:
    """`probe.probe` of a job."""
    from clip_hparam.training.throughput import measure_throughput  # torch and all, as above

    exit_with_parent()
    return measure_throughput(tree)


def exit_if_cuda_was_forked() -> None:
    """Exit code 1 if this process is the fork of one that has touched CUDA, and so cannot."""
    import torch  # loaded in the warm server

    sys.exit(torch.cuda._is_in_bad_fork())


def _interrupt_once(number: int, frame: FrameType | None) -> None:
    """Ctrl-C comes twice, from the terminal and from the driver: the first is put on record."""
    for each in STOP_SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def retry_while_locked(execute: Callable[[], str], stop: Callable[[], bool] = lambda: False) -> str:
    """Two sweeps may share a trial: the second waits for its end, or for its process to die.

    "queued" if it is asked to stop while it waits.
    """
    told = False
    while not stop():
        try:
            return execute()
        except FolderLockedError as error:
            if not told:
                print(f"{error}: waiting for it")
            told = True
            time.sleep(LOCK_POLL_SECONDS)
    return "queued"


def redirect_output(path: Path) -> None:
    """From now on everything this process prints goes to the end of a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
