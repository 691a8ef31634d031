"""Call a function in every rank of a trial, in processes that connect as those of a trial do."""

import multiprocessing
import socket
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any

import torch

from clip_hparam.distributed import DistributedContext, create_context
from clip_hparam.training.ranks.connection import connect_ranks
from support.shared_forkserver import start_shared_forkserver

CPU = torch.device("cpu")
ANSWER_SECONDS = 5.0  # for the other ranks, once rank 0 has answered
Function = Callable[..., Any]


def in_ranks(
    world: int,
    function: Function,
    *arguments: Any,
    seconds: float = 60,
    answer_seconds: float = ANSWER_SECONDS,
) -> list[Any]:
    """Return what `function(ranks, *arguments)` returns or raises in each rank.

    A rank that exits, or is silent for `answer_seconds` after the answer of rank 0, gives None and
    is killed.
    """
    start_shared_forkserver()
    context = multiprocessing.get_context("forkserver")
    started = []
    with socket.create_server(("127.0.0.1", 0)) as listen_socket:
        address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(listen_socket.getsockname()[1])}
        for rank in range(world):
            ours, theirs = context.Pipe()
            environment = {**address, "RANK": str(rank), "WORLD_SIZE": str(world)}
            task = (function, arguments, seconds)
            process = context.Process(
                target=_rank, args=(theirs, environment, None if rank else listen_socket, task)
            )
            process.start()
            theirs.close()
            started.append((process, ours))
    first = _received(started[0][1])
    others = [_received_soon(process, pipe, answer_seconds) for process, pipe in started[1:]]
    return [first, *others]


def _rank(
    pipe: Connection,
    environment: dict[str, str],
    listen_socket: socket.socket | None,
    task: tuple[Function, tuple[Any, ...], float],
) -> None:
    function, arguments, seconds = task
    torch.set_num_threads(1)
    ranks: DistributedContext = create_context(environment, seconds, listen_socket)
    try:
        with connect_ranks(ranks, CPU, seconds):
            answer = function(ranks, *arguments)
    except Exception as error:
        answer = error
    pipe.send(answer)


def _received_soon(process: ForkServerProcess, pipe: Connection, seconds: float) -> Any:
    answered = pipe.poll(seconds)
    if not answered:
        process.kill()
    return _received(pipe) if answered else None


def _received(pipe: Connection) -> Any:
    try:
        return pipe.recv()
    except EOFError:
        return None
