"""Connect the ranks of a trial, and end their connection with an error that names a lost rank."""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial

import torch
import torch.distributed as dist
from torch.distributed import Store  # type: ignore[attr-defined] # not in its stubs

from clip_hparam.distributed import DistributedContext, PeerError, name_key, raise_peer_error
from clip_hparam.training.ranks.heartbeat import Heartbeat
from clip_hparam.training.ranks.lost_ranks import (
    find_peer_failure,
    lost_rank_error,
    report_exit_reason,
)

NCCL_SECONDS = 60.0  # by which nccl, which ends the process at its timeout, waits longer than ours
DISCONNECT_SECONDS = 10.0  # an operation of nccl that never ends may hold up its end
LOST_EXIT_CODE = 1
logger = logging.getLogger(__name__)


@contextmanager
def connect_ranks(
    context: DistributedContext,
    device: torch.device,
    seconds: float,
    on_lost: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Connect the ranks inside the `with` block; nothing for a trial in one process.

    seconds: timeout of each collective operation on the CPU.
    on_lost: records the sentence that names a lost rank where the main thread of this process
        waits for its GPU and cannot; the process exits right after it.

    Raises: in rank 0, LostRankError that names the rank which was killed or does not respond,
    or RuntimeError with the error of another rank; in other ranks, PeerError.
    """
    if context.store is None:
        yield
        return
    heartbeat = Heartbeat(context, seconds, partial(_exit_process, context, seconds, on_lost))
    try:
        heartbeat.start()
        _init_process_groups(context, device, seconds)
        yield
    except PeerError as error:
        heartbeat.leave_to_main_thread()
        if context.is_main:
            raise find_peer_failure(context.world_size, heartbeat, seconds, error) from error
        report_exit_reason(context, "")
        raise
    except Exception as error:
        heartbeat.leave_to_main_thread()
        report_exit_reason(context, f"{type(error).__name__}: {error}")
        raise
    finally:
        heartbeat.stop()
        _disconnect(context)


def _exit_process(
    context: DistributedContext,
    seconds: float,
    on_lost: Callable[[str], None] | None,
    ranks: set[int],
    store: Store,
) -> None:
    """Report the lost ranks and end this process, whose main thread waits for its GPU."""
    error = lost_rank_error(ranks, context.world_size, store, seconds)
    logger.error(str(error))
    if on_lost is not None:
        with suppress(OSError):
            on_lost(str(error))
    os._exit(LOST_EXIT_CODE)


def _init_process_groups(context: DistributedContext, device: torch.device, seconds: float) -> None:
    """Connect the ranks by gloo, for all that the host exchanges, and GPUs by nccl too.

    A host waits for gloo, which raises an error at its timeout. It does not wait for nccl.
    """
    assert context.store is not None
    with raise_peer_error():
        name = f"process {os.getpid()} on {os.uname().nodename}"
        context.store.set(name_key(context.rank), name)
        dist.init_process_group(
            "gloo",
            store=context.store,
            rank=context.rank,
            world_size=context.world_size,
            timeout=timedelta(seconds=seconds),
        )
        if device.type == "cuda":
            torch.cuda.set_device(device)
            longer = timedelta(seconds=seconds + NCCL_SECONDS)
            group = dist.new_group(backend="nccl", timeout=longer)
            assert isinstance(group, dist.ProcessGroup)
            context.connection.device_group = group


def _disconnect(context: DistributedContext) -> None:
    context.connection.device_group = None
    if dist.is_initialized():
        thread = threading.Thread(target=dist.destroy_process_group, daemon=True)
        thread.start()
        thread.join(DISCONNECT_SECONDS)
