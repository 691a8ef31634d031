"""Several processes train one model: by nccl on GPUs, by gloo on a CPU."""

import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed import TCPStore  # type: ignore[attr-defined] # not in its stubs

from clip_hparam.distributed import SINGLE_PROCESS, DistributedContext
from clip_hparam.launch.local import processes
from clip_hparam.subprocesses import exit_with_parent
from clip_hparam.training.engine import train_step
from clip_hparam.training.factory import create_model, create_train_state
from clip_hparam.training.ranks import heartbeat
from clip_hparam.training.ranks.connection import connect_ranks
from clip_hparam.training.ranks.replica import _create_parallel
from gpu_checks.check import (
    Finding,
    Setup,
    Task,
    failed,
    largest_difference,
    not_applicable,
    passed,
    within,
)
from gpu_checks.inputs import draw_batch, machine_of, spec_of, tiny_recipe

BATCH, STEPS, KILL_STEP = 16, 4, 2
RANK_SECONDS, NAMED_SECONDS, START_SECONDS = 5.0, 45.0, 30.0
LIMIT = 1e-5
QUICK_SILENT_SECONDS = 1.0  # on a CPU, so that the tests are short
Function = Callable[[DistributedContext, torch.device], Any]


def compare_with_library(context: DistributedContext, device: torch.device) -> float:
    """Return the largest relative difference that the library of one rank makes to gradients."""
    recipe = tiny_recipe(drop_path=0.0)
    images, targets = draw_batch(BATCH, 32, 10, device)
    gradients = []
    for in_parallel in (False, True):
        model = create_model(recipe, 10).to(device).train()
        called = _create_parallel(model, context) if in_parallel else model
        loss = torch.nn.functional.cross_entropy(called(images), targets)
        loss.backward()  # type: ignore[no-untyped-call]
        gradients.append([one.grad for one in model.parameters() if one.grad is not None])
    total = torch.ones((), device=device)
    dist.all_reduce(total, group=context.connection.device_group)
    pairs = zip(*gradients, strict=True)
    largest = max(float((own - other).norm() / own.norm()) for own, other in pairs)
    return max(largest, abs(float(total) - 1))


def train_in_ranks(
    context: DistributedContext, device: torch.device, kill: bool = False
) -> list[float]:
    """Train some steps on this rank's rows, and return the losses; kill: rank 1 kills itself."""
    recipe = tiny_recipe(drop_path=0.0)
    state = create_train_state(recipe, machine_of(device), create_model(recipe, 10), context)
    state.schedule[:] = recipe.lr
    state.model.train()
    rows = context.batch_rows(BATCH)
    losses = []
    for step in range(STEPS):
        images, targets = draw_batch(BATCH, 32, 10, device, seed=step)
        losses.append(train_step(state, step, images[rows], targets[rows]))
        if kill and step == KILL_STEP and context.rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)
    context.wait_for_all()
    return [float(loss) for loss in losses]


def one_rank(setup: Setup) -> Finding:
    """Compare the gradients of one rank through the library with those without it."""
    difference = _in_ranks(setup, 1, compare_with_library)
    if isinstance(difference, Exception):
        raise difference
    return within("largest relative difference of a gradient", float(difference), LIMIT)


def several_ranks(setup: Setup) -> Finding:
    """Compare the losses of all GPUs together with those of one process."""
    world = _world(setup)
    if world < 2:
        return not_applicable("this computer has one GPU")
    losses = _in_ranks(setup, world, train_in_ranks)
    if isinstance(losses, Exception):
        raise losses
    alone = train_in_ranks(SINGLE_PROCESS, setup.device)
    largest = largest_difference(losses, alone)
    return within(
        f"{world} ranks, largest relative difference of a loss", largest, LIMIT, ranks=world
    )


def killed_rank(setup: Setup) -> Finding:
    """See that rank 0 names a rank that was killed, in time."""
    if _world(setup) < 2:
        return not_applicable("this computer has one GPU")
    started = time.monotonic()
    answer = str(_in_ranks(setup, 2, partial(train_in_ranks, kill=True)))
    seconds = round(time.monotonic() - started, 1)
    if "rank 1 of 2 (process" not in answer:
        return failed(f"the killed rank was not named: {answer.partition(chr(10))[0]}")
    if seconds > NAMED_SECONDS:
        return failed("the killed rank was named too late", seconds=seconds)
    return passed("rank 0 named the killed rank", seconds=seconds)


def _world(setup: Setup) -> int:
    """Return the ranks that can be compared: a power of two that divides the batch."""
    cards = torch.cuda.device_count() if setup.on_gpu else 2
    return max(size for size in (1, 2, 4, 8) if size <= max(cards, 1))


def _in_ranks(setup: Setup, world: int, function: Function) -> Any:
    """Return what the function returns or raises in rank 0, or the sentence that it left."""
    context = processes.start_forkserver(spec_of(tiny_recipe(), setup.folder, setup.device))
    left = setup.folder / "lost_rank.txt"
    ours, theirs = context.Pipe()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = (world, port, setup.device.type, str(left))
    ranks = [
        context.Process(target=_rank, args=(None if rank else theirs, function, rank, *settings))
        for rank in range(world)
    ]
    for process in ranks:
        process.start()
    theirs.close()
    try:
        has_answer = ours.poll(START_SECONDS + NAMED_SECONDS)
        with suppress(EOFError):
            if has_answer:
                return ours.recv()
        return left.read_text() if left.exists() else RuntimeError("rank 0 gave no answer")
    finally:
        processes.kill(ranks)


def _rank(
    pipe: Connection | None,
    function: Function,
    rank: int,
    world: int,
    port: int,
    device_type: str,
    left: str,
) -> None:
    """Connect as a rank of a trial does, call the function, and send its answer from rank 0."""
    exit_with_parent()
    torch.set_num_threads(1)
    device = torch.device("cpu")
    if device_type == "cuda":
        device = torch.device("cuda", rank)
    else:
        heartbeat.SILENT_SECONDS = QUICK_SILENT_SECONDS
    store = TCPStore(
        "127.0.0.1",
        port,
        is_master=rank == 0,
        timeout=timedelta(seconds=START_SECONDS),
        wait_for_workers=False,
    )
    context = DistributedContext(rank, world, rank, store)

    def leave(sentence: str) -> None:
        Path(left).write_text(sentence)

    try:
        with connect_ranks(context, device, RANK_SECONDS, leave):
            answer = function(context, device)
    except Exception as error:
        answer = RuntimeError(str(error))
    if pipe is not None:
        pipe.send(answer)


TASKS = (
    Task("ranks: one rank through the library", 20, one_rank),
    Task("ranks: several against one process", 30, several_ranks),
    Task("ranks: a killed rank is named", 50, killed_rank),
)
