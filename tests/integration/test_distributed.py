"""Trials in several processes: the numbers of one process, and errors that name a lost rank."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.cli import SHORT, records, sweep, sweep_process
from support.float64_trial import assert_same, trained
from support.multiprocess import in_ranks

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.distributed import (
    SINGLE_PROCESS,
    DistributedContext,
    PeerError,
    create_context,
    raise_peer_error,
)
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.checkpoints.progress import Progress
from clip_hparam.training.device.numerics import device_of
from clip_hparam.training.factory import create_model, create_train_state
from clip_hparam.training.final.selected_and_last import load_selected


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


def exchange(context: DistributedContext, parts: int) -> tuple[list[int], float, int]:
    mine = list(range(parts))[context.rank :: context.world_size]
    ten = torch.tensor(10.0 * context.rank)
    context.all_reduce_mean(ten)
    return context.all_gather(mine), float(ten), context.connection.collectives


@pytest.mark.parametrize("parts", [0, 1, 4, 5])
def test_parts_are_gathered_in_order_and_losses_are_averaged(parts: int) -> None:
    for gathered, ten, collectives in in_ranks(3, exchange, parts):
        assert gathered == list(range(parts))
        assert ten == 10
        assert collectives == 2


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


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (RuntimeError("[gloo/transport/tcp/pair.cc:550] Connection closed by peer"), PeerError),
        (torch.distributed.DistBackendError("communicator was aborted"), PeerError),
        (torch.OutOfMemoryError("out of memory, nccl"), torch.OutOfMemoryError),
        (RuntimeError("element 0 of tensors does not require grad"), RuntimeError),
        (ValueError("n01440764/1.JPEG cannot be read"), ValueError),
    ],
)
def test_only_failed_communication_is_an_error_of_a_peer(
    error: Exception, raised: type[Exception]
) -> None:
    context = DistributedContext(0, 2)
    with pytest.raises(Exception, match=re.escape(str(error))) as caught, context.collective():
        raise error
    assert caught.type is raised
    assert context.connection.collectives == 1


@pytest.mark.parametrize(
    ("message", "is_peer_error"),
    [
        ("[../gloo/transport/tcp/pair.cc:534] Connection closed by peer", True),
        ("Application timeout caused pair closure", True),
        ("mat1 and mat2 shapes cannot be multiplied", False),
    ],
)
def test_errors_of_communication_are_distinguished_from_others(
    message: str, is_peer_error: bool
) -> None:
    with pytest.raises(RuntimeError, match=re.escape(message)) as raised, raise_peer_error():
        raise RuntimeError(message)
    assert isinstance(raised.value, PeerError) is is_peer_error
