"""The entry point of a process that is a worker of a search. Imports no torch and no Optuna."""

from functools import partial
from socket import socket
from typing import Any

from clip_hparam.config.worker_spec import WorkerSpec
from clip_hparam.launch.local.child import run_in_child
from clip_hparam.training.callbacks.base import TrialCallback


def worker_main(
    tree: dict[str, Any], environment: dict[str, str], listen_socket: socket | None
) -> None:
    """Run a worker of a search and exit; takes the arguments of `child.rank_main`."""
    from clip_hparam.launch.local.run import run_with_log  # lazy: torch, 4 s
    from clip_hparam.search.worker import run_worker  # lazy: optuna, 0.5 s

    spec = WorkerSpec.from_dict(tree)

    def run(stop: TrialCallback) -> str:
        return run_worker(spec, partial(run_with_log, stop=stop), stop)

    run_in_child(spec, environment, run)
