"""Connect the ranks of a trial, and end their connection with an error that names a lost rank."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist

from clip_hparam.distributed import DistributedContext, PeerError, name_key, raise_peer_error
from clip_hparam.training.ranks.heartbeat import Heartbeat
from clip_hparam.training.ranks.lost_ranks import find_peer_failure, report_exit_reason

ABORT_COLLECTIVES = "2"
"""TORCH_NCCL_ASYNC_ERROR_HANDLING: after its timeout an operation of nccl is aborted, which frees a
host that waits for it, and the process goes on. The default, 3, ends the process, and the record
would not say why."""


@contextmanager
def connect_ranks(
    context: DistributedContext, device: torch.device, seconds: float
) -> Iterator[None]:
    """Connect the ranks inside the `with` block; nothing for a trial in one process.

    seconds: timeout of each collective operation.

    Raises: in rank 0, LostRankError that names the rank which was killed or does not respond,
    or RuntimeError with the error of another rank; in other ranks, PeerError.
    """
    if context.store is None:
        yield
        return
    heartbeat = Heartbeat(context, seconds)
    try:
        heartbeat.start()
        _init_process_group(context, device, seconds)
        yield
    except PeerError as error:
        if context.is_main:
            raise find_peer_failure(context, heartbeat, seconds) from error
        report_exit_reason(context, "")
        raise
    except Exception as error:
        report_exit_reason(context, f"{type(error).__name__}: {error}")
        raise
    finally:
        heartbeat.stop()
        if dist.is_initialized():
            dist.destroy_process_group()


def _init_process_group(context: DistributedContext, device: torch.device, seconds: float) -> None:
    assert context.store is not None
    on_gpu = device.type == "cuda"
    os.environ.setdefault("TORCH_NCCL_ASYNC_ERROR_HANDLING", ABORT_COLLECTIVES)
    if on_gpu:
        torch.cuda.set_device(device)
    with raise_peer_error():
        name = f"process {os.getpid()} on {os.uname().nodename}"
        context.store.set(name_key(context.rank), name)
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if on_gpu else "gloo",
            store=context.store,
            rank=context.rank,
            world_size=context.world_size,
            timeout=timedelta(seconds=seconds),
        )
