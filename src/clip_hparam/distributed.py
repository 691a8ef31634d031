"""One trial in several processes: which rank this one is, its share, and what all do together.

A trial in one process is rank 0 of 1, for which everything here is nothing. Several ranks find each
other as torchrun's do, by RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT, which the
workers launcher sets here and submitit's TorchDistributedEnvironment on a cluster. Each rank trains
on its rows of every batch, and gradients are averaged, so the batch is the recipe's whatever the
ranks; each evaluates every world-th batch. Rank 0 alone writes the record.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, zip_longest
from socket import socket
from typing import Any, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor
from torch.distributed import Store, TCPStore  # type: ignore[attr-defined] # not in its stubs

POLL_SECONDS = 0.1  # seconds between two looks for rank 0
EXIT_REASON_SECONDS = 10.0  # seconds in which a rank that lives says that it, too, has lost another
T = TypeVar("T")


class PeerError(RuntimeError):
    """The ranks could not do something together; whose fault it is, this rank cannot know."""


class LostRankError(RuntimeError):
    """A rank died or no longer answers."""


@dataclass(frozen=True)
class DistributedContext:
    """This process among those of its trial; `local` is its place on this computer."""

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    store: Store | None = None

    @property
    def is_main(self) -> bool:
        """Whether this is the rank that writes and speaks."""
        return self.rank == 0

    def batch_rows(self, batch: int) -> slice:
        """This rank's rows of a batch, which the number of ranks divides."""
        share = batch // self.world_size
        return slice(self.rank * share, (self.rank + 1) * share)

    def shard(self, index: NDArray[np.int64], size: int) -> NDArray[np.int64]:
        """What this rank evaluates of `index`: every world-th batch of `size`.

        A batch holds the same images whatever the ranks, so its logits have the same bits.
        """
        own: NDArray[np.int64] = index[np.arange(len(index)) // size % self.world_size == self.rank]
        return own

    def all_gather(self, parts: Sequence[T]) -> list[T]:
        """The parts of all ranks, one a batch, in the order in which the batches were dealt."""
        if self.world_size == 1:
            return list(parts)
        hands: list[Any] = [None] * self.world_size
        with _raise_peer_error():
            dist.all_gather_object(hands, list(parts))
        missing = object()
        rounds = chain.from_iterable(zip_longest(*hands, fillvalue=missing))
        return [part for part in rounds if part is not missing]

    def all_reduce_mean(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its mean over the ranks: the same bits on all of them."""
        if self.world_size == 1:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        with _raise_peer_error():
            dist.all_reduce(flat)
        flat /= self.world_size
        means = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, mean in zip(tensors, means, strict=True):
            tensor.copy_(mean.view_as(tensor))

    def wait_for_main(self) -> None:
        """Until rank 0 connects, which may have to wait for its record.

        Raises PeerError if it ends without: then there is nothing to do.
        """
        with _raise_peer_error():
            while self.store is not None and not self.store.check([_rank_key(0)]):
                time.sleep(POLL_SECONDS)

    @contextmanager
    def connect(self, device: torch.device, seconds: float) -> Iterator[None]:
        """The ranks joined while the block runs; nothing they do together waits longer than that.

        In rank 0, raises LostRankError that names the rank which died or did not answer, or
        RuntimeError with what another rank died of.
        """
        if self.store is None:
            yield
            return
        try:
            self._init_process_group(self.store, device, seconds)
            yield
        except PeerError as error:
            if self.is_main:
                raise self._peer_failure(self.store, seconds) from error
            self._report_exit_reason(self.store, "")
            raise
        except Exception as error:
            self._report_exit_reason(self.store, f"{type(error).__name__}: {error}")
            raise
        finally:
            if dist.is_initialized():
                dist.destroy_process_group()

    def _init_process_group(self, store: Store, device: torch.device, seconds: float) -> None:
        os.environ["TORCH_NCCL_BLOCKING_WAIT"] = "1"  # a lost rank is an error, not an abort
        if device.type == "cuda":
            torch.cuda.set_device(device)
        with _raise_peer_error():
            store.set(_rank_key(self.rank), f"process {os.getpid()} on {os.uname().nodename}")
            dist.init_process_group(
                "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo",
                store=store,
                rank=self.rank,
                world_size=self.world_size,
                timeout=timedelta(seconds=seconds),
            )

    def _report_exit_reason(self, store: Store, words: str) -> None:
        """Leave last words for rank 0, if it still listens: what this rank dies of, if it knows."""
        with suppress(RuntimeError):
            store.set(f"last words {self.rank}", words)

    def _peer_failure(self, store: Store, seconds: float) -> RuntimeError:
        """What is wrong with which rank; those that live have said that they lost another."""
        lost: list[str] = []
        for rank in range(1, self.world_size):
            words = _read_store(store, f"last words {rank}", EXIT_REASON_SECONDS)
            if words:
                return RuntimeError(f"rank {rank} of {self.world_size} failed: {words}")
            if words is None:
                name = _read_store(store, _rank_key(rank), 0.1) or "which never came"
                lost.append(f"rank {rank} of {self.world_size} ({name})")
        who = " and ".join(lost) or f"one of {self.world_size} ranks"
        return LostRankError(f"{who} died, or did not answer for {seconds:g} s")


SINGLE_PROCESS = DistributedContext()


def create_context(
    environment: Mapping[str, str], seconds: float, listen_socket: socket | None = None
) -> DistributedContext:
    """This process's place as its launcher has put it into the environment.

    Rank 0 listens at MASTER_PORT, or where `listen_socket` already does.
    """
    rank, world = int(environment.get("RANK", 0)), int(environment.get("WORLD_SIZE", 1))
    if world == 1:
        return SINGLE_PROCESS
    with _raise_peer_error():
        store = TCPStore(
            environment["MASTER_ADDR"],
            int(environment["MASTER_PORT"]),
            is_master=rank == 0,
            timeout=timedelta(seconds=seconds),
            wait_for_workers=False,
            master_listen_fd=listen_socket.detach() if listen_socket else None,
        )
    return DistributedContext(rank, world, int(environment.get("LOCAL_RANK", rank)), store)


@contextmanager
def _raise_peer_error() -> Iterator[None]:
    """Whatever goes wrong between ranks is a PeerError."""
    try:
        yield
    except RuntimeError as error:
        raise PeerError(str(error)) from error


def _rank_key(rank: int) -> str:
    """Where a rank leaves its name once it connects."""
    return f"name {rank}"


def _read_store(store: Store, key: str, seconds: float) -> str | None:
    """A value once it is there; None if it does not come in time."""
    try:
        store.wait([key], timedelta(seconds=seconds))
        return str(store.get(key), "utf-8")
    except RuntimeError:
        return None
