"""A rank that fails, dies or hangs is named by rank 0 in time, wherever the others wait for it."""

import multiprocessing
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from support.float64_trial import CLASSES, RECIPE, Doubled
from support.multiprocess import in_ranks
from support.shared_forkserver import start_shared_forkserver

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.data.digits import load_digits
from clip_hparam.distributed import DistributedContext, PeerError, create_context
from clip_hparam.planning.resolve import resolve
from clip_hparam.training import engine
from clip_hparam.training.callbacks.base import TrialCallback
from clip_hparam.training.factory import create_model, create_train_state
from clip_hparam.training.ranks import heartbeat, lost_ranks
from clip_hparam.training.ranks.connection import connect_ranks
from clip_hparam.training.ranks.lost_ranks import LostRankError

TIMEOUT = 2.0  # of a collective operation
UNREADABLE = "n01440764/1.JPEG cannot be read"


def fail(how: str) -> None:
    """Fail as a rank can: an error, a death, a stop of the process, a wait of its main thread."""
    if how == "raises":
        raise ValueError(UNREADABLE)
    if how == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "stops":
        os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(60)


class Fail(TrialCallback):
    """Fails after the second step."""

    def __init__(self, how: str) -> None:
        self.how = how

    def on_step(self, step: int, total_steps: int) -> None:
        if step == 2:
            fail(self.how)


def train_until_failure(context: DistributedContext, how: str) -> None:
    """Train; rank 1 fails between two steps, so that the others wait in a backward pass."""
    impatient()
    recipe = resolve(with_values(Recipe(), {**RECIPE, "data.epoch_images": 240}))
    model = create_model(recipe, CLASSES).double()
    state = create_train_state(recipe, Machine(device="cpu"), model, context)
    batches = Doubled(recipe, load_digits(), context=context)
    callback = Fail(how) if context.rank == 1 else engine.NO_CALLBACK
    engine.train_epoch(state, batches, 0, 0, callback)


def gather_twice(context: DistributedContext, how: str) -> None:
    """Gather twice; rank 1 fails in between."""
    impatient()
    context.all_gather([0])
    if context.rank == 1:
        fail(how)
    context.wait_for_all()


def impatient() -> None:
    heartbeat.BEAT_SECONDS, heartbeat.SILENT_SECONDS, lost_ranks.EXIT_REASON_SECONDS = 0.1, 1, 3


def check_named(answers: list[Any], how: str) -> None:
    first, failed, *others = answers
    world = len(answers)
    if how == "raises":
        assert type(first) is RuntimeError
        assert str(first) == f"rank 1 of {world} failed: ValueError: {UNREADABLE}"
        assert isinstance(failed, ValueError)
    else:
        assert type(first) is LostRankError
        assert str(first).startswith(f"rank 1 of {world} (process ")
        assert str(first).endswith(f"was killed, or did not respond for {TIMEOUT:g} s")
        assert str(first).count(" of ") == 1
        assert failed is None
    assert all(isinstance(one, PeerError) for one in others)


@pytest.mark.parametrize(
    ("world", "how"), [(2, "raises"), (4, "raises"), (4, "dies"), (2, "hangs")]
)
def test_rank_lost_between_two_exchanges_is_named_in_time(world: int, how: str) -> None:
    started = time.monotonic()
    check_named(in_ranks(world, gather_twice, how, seconds=TIMEOUT, answer_seconds=1), how)
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(("world", "how"), [(2, "dies"), (4, "dies"), (2, "stops"), (4, "stops")])
def test_rank_lost_while_the_others_wait_in_backward_is_named_in_time(world: int, how: str) -> None:
    started = time.monotonic()
    answers = in_ranks(world, train_until_failure, how, seconds=TIMEOUT, answer_seconds=1)
    check_named(answers, how)
    assert time.monotonic() - started < 30


def fail_in_all(context: DistributedContext) -> None:
    impatient()
    context.wait_for_all()
    raise PeerError("Duplicate GPU detected")


def test_failure_of_all_ranks_is_no_lost_rank() -> None:
    first, *_ = in_ranks(2, fail_in_all, answer_seconds=1)
    assert str(first) == "an exchange of all 2 ranks failed: Duplicate GPU detected"


def wait_outside_of_python(how: str, path: str, rank: int, port: int) -> None:
    """Rank 1 is lost while the main thread of rank 0 waits without a timeout, as in CUDA."""
    heartbeat.BEAT_SECONDS, heartbeat.MAIN_THREAD_SECONDS = 0.1, 1
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    context = create_context({**address, "RANK": str(rank), "WORLD_SIZE": "2"}, 20)
    on_lost = Path(path).write_text
    with connect_ranks(context, torch.device("cpu"), 1, on_lost):
        context.connection.collectives += 1 - rank  # rank 0 has begun an operation more
        fail(how if rank else "hangs")


@pytest.mark.parametrize("how", ["stops", "hangs"])
def test_lost_rank_is_recorded_while_the_main_thread_waits_for_its_gpu(
    tmp_path: Path, how: str
) -> None:
    start_shared_forkserver()
    context = multiprocessing.get_context("forkserver")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    path = tmp_path / "failure"
    ranks = [
        context.Process(target=wait_outside_of_python, args=(how, str(path), rank, port))
        for rank in range(2)
    ]
    for process in ranks:
        process.start()
    ranks[0].join(30)
    ranks[1].kill()
    assert ranks[0].exitcode == 1
    assert path.read_text().startswith(f"rank 1 of 2 (process {ranks[1].pid} on ")


def test_rank_that_never_connects_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_ranks, "EXIT_REASON_SECONDS", 0.1)
    waiting = DistributedContext(0, 2, store=torch.distributed.HashStore())
    named = pytest.raises(LostRankError, match=r"rank 1 of 2 \(which never connected\) was killed")
    with named, connect_ranks(waiting, torch.device("cpu"), 1):
        pass
