"""However many processes train a trial, it is the same trial; and one that is lost is named."""

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
from clip_hparam.distributed import (
    SINGLE_PROCESS,
    DistributedContext,
    LostRankError,
    PeerError,
    create_context,
)
from clip_hparam.training.numerics import device_of


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    torch.set_num_threads(1)
    return trained(SINGLE_PROCESS)


@pytest.mark.parametrize(("world", "micro_batch"), [(2, 0), (2, 6), (3, 0)])
def test_a_trial_in_several_processes_is_the_trial_in_one(
    alone: dict[str, Any], world: int, micro_batch: int
) -> None:
    outcomes = in_ranks(world, trained, micro_batch)
    for one in outcomes:
        assert_same(one, alone)
    for one, other in pairwise(outcomes):
        assert all(np.array_equal(one[name], other[name]) for name in alone)


def test_at_the_command_line_it_has_the_same_id_and_losses(tmp_path: Path) -> None:
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
    (one, alone), (other, shared) = losses
    assert one == other
    assert shared == pytest.approx(alone, rel=1e-5)


@pytest.mark.parametrize("world", [1, 2, 3, 4])
def test_the_rows_of_the_ranks_are_the_batch(world: int) -> None:
    rows = [np.arange(12)[DistributedContext(rank, world).batch_rows(12)] for rank in range(world)]
    assert np.concatenate(rows).tolist() == list(range(12))
    assert len({len(own) for own in rows}) == 1


@pytest.mark.parametrize("images", [0, 5, 10, 11, 45])
@pytest.mark.parametrize("world", [1, 2, 3])
def test_what_is_dealt_is_every_image_once_in_the_batches_of_one_rank(
    world: int, images: int
) -> None:
    index = np.arange(images) + 100
    hands = [DistributedContext(rank, world).shard(index, 5) for rank in range(world)]
    batches = [index[start : start + 5].tolist() for start in range(0, images, 5)]
    for rank, hand in enumerate(hands):
        own = [hand[start : start + 5].tolist() for start in range(0, len(hand), 5)]
        assert own == batches[rank::world]


def exchanged(ranks: DistributedContext, parts: int) -> tuple[list[int], Any, float]:
    mine = list(range(parts))[ranks.rank :: ranks.world_size]
    ones, ten = torch.full((2, 3), float(ranks.rank)), torch.tensor(10.0 * ranks.rank)
    ranks.all_reduce_mean([ones, ten])
    return ranks.all_gather(mine), ones.tolist(), float(ten)


@pytest.mark.parametrize("parts", [0, 1, 4, 5])
def test_parts_are_gathered_as_they_were_dealt_and_tensors_averaged(parts: int) -> None:
    for gathered, ones, ten in in_ranks(3, exchanged, parts):
        assert gathered == list(range(parts))
        assert ones == [[1.0] * 3] * 2
        assert ten == 10


@pytest.mark.parametrize("device", ["auto", "cuda"])
@pytest.mark.parametrize(("shown", "gpus"), [(4, [0, 1, 2, 3]), (1, [0, 0, 0, 0])])
def test_each_rank_has_a_gpu_of_its_own(
    monkeypatch: pytest.MonkeyPatch, device: str, shown: int, gpus: list[int]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: shown)
    assert [device_of(Machine(device=device), local).index for local in range(4)] == gpus


def test_a_process_without_an_environment_is_alone() -> None:
    assert create_context({}, 1) is SINGLE_PROCESS
    assert create_context({"RANK": "0", "WORLD_SIZE": "1", "MASTER_PORT": "1"}, 1) is SINGLE_PROCESS
    assert SINGLE_PROCESS.is_main
    assert SINGLE_PROCESS.all_gather([1, 2]) == [1, 2]


def meeting_again(ranks: DistributedContext, how: str) -> str:
    """All meet, something happens to rank 1, and all would meet again."""
    module.EXIT_REASON_SECONDS = 2.0
    ranks.all_gather([0])
    if ranks.rank == 1 and how == "raises":
        raise ValueError("n01440764/1.JPEG cannot be read")
    if ranks.rank == 1 and how == "dies":
        os._exit(7)
    if ranks.rank == 1 and how == "hangs":
        time.sleep(60)
    ranks.all_gather([0])
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
def test_a_rank_that_is_lost_is_named_in_time_by_the_first(
    world: int, how: str, error: type[Exception], sentence: str
) -> None:
    started = time.monotonic()
    first, lost, *others = in_ranks(world, meeting_again, how, seconds=5)
    assert time.monotonic() - started < 30
    assert type(first) is error
    assert sentence.format(world) in str(first)
    assert "rank 2" not in str(first)
    assert isinstance(lost, ValueError) == (how == "raises")
    assert all(isinstance(one, PeerError) for one in others)


def test_a_rank_that_never_comes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXIT_REASON_SECONDS", 0.1)
    waiting = DistributedContext(0, 2, store=torch.distributed.HashStore())
    named = pytest.raises(LostRankError, match=r"rank 1 of 2 \(which never came\) died")
    with named, waiting.connect(torch.device("cpu"), 1):
        pass
