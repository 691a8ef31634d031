"""A function in every rank of a trial: processes on this computer that meet as real ones do."""

import multiprocessing
import socket
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any

import torch

from clip_hparam.distributed import DistributedContext, create_context

CPU = torch.device("cpu")
PATIENCE = 5.0
Function = Callable[..., Any]


def in_ranks(world: int, function: Function, *arguments: Any, seconds: float = 60) -> list[Any]:
    """What function(ranks, *arguments) returns in each rank, or the error it raises.

    None for a rank that died, or has no answer PATIENCE seconds after the first rank's; it is
    killed.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["clip_hparam.training.trial", "support.multiprocess"])
    started = []
    with socket.create_server(("127.0.0.1", 0)) as listen_socket:
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(listen_socket.getsockname()[1])}
        for rank in range(world):
            ours, theirs = context.Pipe()
            environment = {**meeting, "RANK": str(rank), "WORLD_SIZE": str(world)}
            order = (function, arguments, seconds)
            process = context.Process(
                target=_rank, args=(theirs, environment, None if rank else listen_socket, order)
            )
            process.start()
            theirs.close()
            started.append((process, ours))
    first = _received(started[0][1])
    return [first, *(_received_soon(process, pipe) for process, pipe in started[1:])]


def _rank(
    pipe: Connection,
    environment: dict[str, str],
    listen_socket: socket.socket | None,
    order: tuple[Function, tuple[Any, ...], float],
) -> None:
    function, arguments, seconds = order
    torch.set_num_threads(1)
    ranks: DistributedContext = create_context(environment, seconds, listen_socket)
    try:
        with ranks.connect(CPU, seconds):
            answer = function(ranks, *arguments)
    except Exception as error:
        answer = error
    pipe.send(answer)


def _received_soon(process: ForkServerProcess, pipe: Connection) -> Any:
    answered = pipe.poll(PATIENCE)
    if not answered:
        process.kill()
    return _received(pipe) if answered else None


def _received(pipe: Connection) -> Any:
    try:
        return pipe.recv()
    except EOFError:
        return None
