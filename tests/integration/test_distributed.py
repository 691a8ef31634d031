"""Trials in several processes: the numbers of one process, and errors that name a lost rank."""

import os
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.cli import SHORT, records, sweep, sweep_process
from support.float64_trial import assert_same, trained
from support.multiprocess import in_ranks

from clip_hparam import distributed as module
from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.distributed import (
    SINGLE_PROCESS,
    DistributedContext,
    LostRankError,
    PeerError,
    create_context,
)
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.checkpoints.progress import Progress
from clip_hparam.training.factory import create_model, create_train_state
from clip_hparam.training.numerics import device_of
from clip_hparam.training.results import load_selected


@pytest.fixture(scope="module")
def single_process() -> dict[str, Any]:
    torch.set_num_threads(1)
    return trained(SINGLE_PROCESS)


@pytest.mark.parametrize(("world", "micro_batch"), [(2, 0), (2, 6), (3, 0)])
def test_ranks_equal_one_process(
    single_process: dict[str, Any], world: int, micro_batch: int
) -> None:
    outcomes = in_ranks(world, trained, micro_batch)
    for one in outcomes:
        assert_same(one, single_process)
    for one, other in pairwise(outcomes):
        assert all(np.array_equal(one[name], other[name]) for name in single_process)


def test_command_line_ranks_have_the_same_id_and_losses(tmp_path: Path) -> None:
    losses = []
    for world in (1, 2):
        runs = tmp_path / str(world)
        runs.mkdir()
        run = sweep if world == 1 else sweep_process
        done = run("batch_size=50", *SHORT, f"gpus_per_trial={world}", cwd=runs)
        assert done.code == 0, done.err
        (record,) = records(runs)
        result = record.result()
        assert result is not None
        assert result["numerics"]["ranks"] == world
        losses.append((record.trial_id, record.rows()[0]["train_loss"]))
    (first_id, first_loss), (second_id, second_loss) = losses
    assert first_id == second_id
    assert second_loss == pytest.approx(first_loss, rel=1e-5)


@pytest.mark.parametrize("world", [1, 2, 3, 4])
def test_rows_of_the_ranks_are_the_batch(world: int) -> None:
    rows = [np.arange(12)[DistributedContext(rank, world).batch_rows(12)] for rank in range(world)]
    assert np.concatenate(rows).tolist() == list(range(12))
    assert len({len(own) for own in rows}) == 1


@pytest.mark.parametrize("images", [0, 5, 10, 11, 45])
@pytest.mark.parametrize("world", [1, 2, 3])
def test_shards_hold_each_image_once_in_whole_batches(world: int, images: int) -> None:
    index = np.arange(images) + 100
    shards = [DistributedContext(rank, world).shard(index, 5) for rank in range(world)]
    batches = [index[start : start + 5].tolist() for start in range(0, images, 5)]
    for rank, shard in enumerate(shards):
        shard_batches = [shard[i : i + 5].tolist() for i in range(0, len(shard), 5)]
        assert shard_batches == batches[rank::world]


def exchange(context: DistributedContext, parts: int) -> tuple[list[int], Any, float]:
    mine = list(range(parts))[context.rank :: context.world_size]
    ones, ten = torch.full((2, 3), float(context.rank)), torch.tensor(10.0 * context.rank)
    context.all_reduce_mean([ones, ten])
    return context.all_gather(mine), ones.tolist(), float(ten)


@pytest.mark.parametrize("parts", [0, 1, 4, 5])
def test_parts_are_gathered_in_order_and_tensors_are_averaged(parts: int) -> None:
    for gathered, ones, ten in in_ranks(3, exchange, parts):
        assert gathered == list(range(parts))
        assert ones == [[1.0] * 3] * 2
        assert ten == 10


def load_selected_in_ranks(context: DistributedContext) -> list[list[float]]:
    recipe = resolve(with_values(Recipe(), {"batch_size": 10, "ema_decay": 0.5}))
    state = create_train_state(recipe, Machine(device="cpu"), create_model(recipe, 10), context)
    weights = {name: torch.full_like(flat, 7.0) for name, flat in state.flat_weights.items()}
    progress = Progress()
    row = {"epoch": 0, "selection_acc1.ema": 50.0, "selection_loss.ema": 1.0}
    progress.add_epoch(row, weights if context.is_main else {})
    load_selected(state, progress)
    heads = [model.get_parameter("head.bias") for model in state.eval_models.values()]
    return [[float(len(progress.selected_weights))], *(head.tolist() for head in heads)]


def test_rank_0_alone_keeps_the_selected_weights_and_all_ranks_test_them() -> None:
    first, other = in_ranks(2, load_selected_in_ranks)
    assert (first[0], other[0]) == ([2.0], [0.0])
    assert first[1:] == other[1:] == [[7.0] * 10] * 2


@pytest.mark.parametrize("device", ["auto", "cuda"])
@pytest.mark.parametrize(("shown", "gpus"), [(4, [0, 1, 2, 3]), (1, [0, 0, 0, 0])])
def test_each_rank_has_its_own_gpu(
    monkeypatch: pytest.MonkeyPatch, device: str, shown: int, gpus: list[int]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: shown)
    assert [device_of(Machine(device=device), local).index for local in range(4)] == gpus


def test_process_without_rank_variables_is_a_single_process() -> None:
    assert create_context({}, 1) is SINGLE_PROCESS
    assert create_context({"RANK": "0", "WORLD_SIZE": "1", "MASTER_PORT": "1"}, 1) is SINGLE_PROCESS
    assert SINGLE_PROCESS.is_main
    assert SINGLE_PROCESS.all_gather([1, 2]) == [1, 2]


def gather_twice(context: DistributedContext, how: str) -> str:
    """Gather twice; rank 1 fails in between, hangs, or exits."""
    module.EXIT_REASON_SECONDS = 2.0
    context.all_gather([0])
    if context.rank == 1 and how == "raises":
        raise ValueError("n01440764/1.JPEG cannot be read")
    if context.rank == 1 and how == "dies":
        os._exit(7)
    if context.rank == 1 and how == "hangs":
        time.sleep(60)
    context.all_gather([0])
    return "met"


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize(
    ("how", "error", "sentence"),
    [
        ("raises", RuntimeError, "rank 1 of {} failed: ValueError: n01440764/1.JPEG cannot"),
        ("dies", LostRankError, "rank 1 of {} (process "),
        ("hangs", LostRankError, "rank 1 of {} (process "),
    ],
)
def test_lost_rank_is_named_by_rank_0_in_time(
    world: int, how: str, error: type[Exception], sentence: str
) -> None:
    started = time.monotonic()
    first, lost, *others = in_ranks(world, gather_twice, how, seconds=5)
    assert time.monotonic() - started < 30
    assert type(first) is error
    assert sentence.format(world) in str(first)
    assert "rank 2" not in str(first)
    assert isinstance(lost, ValueError) == (how == "raises")
    assert all(isinstance(one, PeerError) for one in others)


def test_rank_that_never_connects_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXIT_REASON_SECONDS", 0.1)
    waiting = DistributedContext(0, 2, store=torch.distributed.HashStore())
    named = pytest.raises(LostRankError, match=r"rank 1 of 2 \(which never connected\) was killed")
    with named, waiting.connect(torch.device("cpu"), 1):
        pass
