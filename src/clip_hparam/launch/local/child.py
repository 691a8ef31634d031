"""What a worker process does with its one job. Light to import: the driver imports it too."""

import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from socket import socket
from types import FrameType
from typing import Any

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.planning.cost import TrialCost
from clip_hparam.records.lock import FolderLockedError
from clip_hparam.subprocesses import exit_with_parent

PRELOAD = [
    "clip_hparam.training.trial",
    "clip_hparam.launch.run",
    "clip_hparam.launch.local.preload",
]
SEARCHING = ["clip_hparam.search.worker"]
"""What the warm server imports: for trials, and more for workers of a search."""
IMAGES = "CLIP_HPARAM_DATA"  # in the environment of the warm server: whose, as JSON
STOPS = (signal.SIGINT, signal.SIGTERM)
SAVE = signal.SIGUSR2  # asks a trial to save its state after the step it is in, and to end
BUSY_SECONDS = 0.5  # between two looks at a trial that another sweep is running


def run(tree: dict[str, Any], environment: dict[str, str], listen_socket: socket | None) -> None:
    """One trial, a rank of it, or a worker; what it prints goes to its log.txt.

    The exit code is 0 if it is done.

    `environment` says which rank this is, and which GPUs are its own; rank 0 listens at
    `listen_socket`.
    """
    # torch and all: in the warm server, not in the driver
    from clip_hparam import distributed
    from clip_hparam.launch.run import logged, perform
    from clip_hparam.training import trial

    exit_with_parent()
    os.environ.update(environment)
    for number in STOPS:
        signal.signal(number, _stop)
    asked = listen(SAVE)

    def stop() -> bool:
        return bool(asked)

    job = TrialSpec.from_dict(tree)
    print_to(Path(job.machine.runs) / job.trial_id / "log.txt")
    try:
        own = distributed.create_context(environment, job.machine.rank_timeout, listen_socket)
        if own.world_size > 1:
            print(f"rank {own.rank} of {own.world_size} is process {os.getpid()}")
        if job.worker:
            state = perform(job, partial(logged, stop=stop), stop)
        else:
            state = when_free(lambda: trial.run_trial(job, say=print, stop=stop, ranks=own), stop)
    except KeyboardInterrupt:
        state = "cancelled"
    sys.exit(state != "done")


def listen(*numbers: signal.Signals) -> list[int]:
    """Where these signals are noted from now on, also one that was held back until now."""
    heard: list[int] = []
    for number in numbers:
        signal.signal(number, lambda received, frame: heard.append(received))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
    return heard


def measure(tree: dict[str, Any]) -> TrialCost:
    """`probe.probe` of a job."""
    from clip_hparam.training.throughput import measure_throughput  # torch and all, as above

    exit_with_parent()
    return measure_throughput(tree)


def check_cuda() -> None:
    """Exit code 1 if this process is the fork of one that has touched CUDA, and so cannot."""
    import torch  # loaded in the warm server

    sys.exit(torch.cuda._is_in_bad_fork())


def _stop(number: int, frame: FrameType | None) -> None:
    """Ctrl-C comes twice, from the terminal and from the driver: the first is put on record."""
    for each in STOPS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def when_free(execute: Callable[[], str], stop: Callable[[], bool] = lambda: False) -> str:
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
            time.sleep(BUSY_SECONDS)
    return "queued"


def print_to(path: Path) -> None:
    """From now on everything this process prints goes to the end of a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
