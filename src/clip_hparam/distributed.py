"""Data parallelism: a trial in several processes, one per rank.

The ranks find each other as those of torchrun do: by RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and
MASTER_PORT, which the local launcher sets, or submitit's TorchDistributedEnvironment in a Slurm
job. Each rank trains on its rows of every batch, and gradients are averaged: the batch size is that
of the recipe for any number of ranks. Each rank evaluates every WORLD_SIZE-th batch. Rank 0 alone
writes the record. A trial in one process is rank 0 of 1 and communicates with no other process.
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

POLL_SECONDS = 0.1  # between two checks whether rank 0 has connected
EXIT_REASON_SECONDS = 10.0  # in which a rank that still runs reports that it lost a peer
T = TypeVar("T")


class PeerError(RuntimeError):
    """A collective operation failed; this rank does not know which rank is the cause."""


class LostRankError(RuntimeError):
    """A rank was killed or does not respond."""


@dataclass(frozen=True)
class DistributedContext:
    """The rank of this process in its trial.

    local_rank: number of the rank among those on this computer.
    store: key-value store that the ranks share; None for a trial in one process.
    """

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    store: Store | None = None

    @property
    def is_main(self) -> bool:
        """Whether this is rank 0, which writes the record."""
        return self.rank == 0

    def batch_rows(self, batch: int) -> slice:
        """Return this rank's rows of a batch, whose size is a multiple of the number of ranks."""
        rows = batch // self.world_size
        return slice(self.rank * rows, (self.rank + 1) * rows)

    def shard(self, index: NDArray[np.int64], size: int) -> NDArray[np.int64]:
        """Return the part of `index` that this rank evaluates: whole batches of `size` images.

        A batch holds the same images for any number of ranks, so its logits have the same bits.
        """
        batch_of_image = np.arange(len(index)) // size
        shard: NDArray[np.int64] = index[batch_of_image % self.world_size == self.rank]
        return shard

    def all_gather(self, parts: Sequence[T]) -> list[T]:
        """Return the parts of all ranks, one per batch, in the order of the batches."""
        if self.world_size == 1:
            return list(parts)
        parts_of_ranks: list[Any] = [None] * self.world_size
        with _raise_peer_error():
            dist.all_gather_object(parts_of_ranks, list(parts))
        missing = object()
        in_order = chain.from_iterable(zip_longest(*parts_of_ranks, fillvalue=missing))
        return [part for part in in_order if part is not missing]

    def all_reduce_mean(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its mean over the ranks, which has the same bits on each rank."""
        if self.world_size == 1:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        with _raise_peer_error():
            dist.all_reduce(flat)
        flat /= self.world_size
        means = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, mean in zip(tensors, means, strict=True):
            tensor.copy_(mean.view_as(tensor))

    def broadcast(self, tensor: Tensor) -> None:
        """Replace a tensor by that of rank 0."""
        if self.world_size > 1:
            with _raise_peer_error():
                dist.broadcast(tensor, src=0)

    def wait_for_main(self) -> None:
        """Wait until rank 0 has locked the record of the trial and connects.

        Raises: PeerError if rank 0 exits before that, as for a trial that is done already.
        """
        with _raise_peer_error():
            while self.store is not None and not self.store.check([_rank_key(0)]):
                time.sleep(POLL_SECONDS)

    @contextmanager
    def connect(self, device: torch.device, seconds: float) -> Iterator[None]:
        """Connect the ranks inside the `with` block.

        seconds: timeout of each collective operation.

        Raises: in rank 0, LostRankError that names the rank which was killed or does not respond,
        or RuntimeError with the error of another rank; in other ranks, PeerError.
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

    def _report_exit_reason(self, store: Store, reason: str) -> None:
        """Write to the store why this rank exits; empty if it has only lost a peer."""
        with suppress(RuntimeError):  # rank 0, which holds the store, may have exited
            store.set(f"exit reason {self.rank}", reason)

    def _peer_failure(self, store: Store, seconds: float) -> RuntimeError:
        """Return the error that names the failed ranks: those without an empty exit reason."""
        lost: list[str] = []
        for rank in range(1, self.world_size):
            reason = _read_store(store, f"exit reason {rank}", EXIT_REASON_SECONDS)
            if reason:
                return RuntimeError(f"rank {rank} of {self.world_size} failed: {reason}")
            if reason is None:
                name = _read_store(store, _rank_key(rank), 0.1) or "which never connected"
                lost.append(f"rank {rank} of {self.world_size} ({name})")
        who = " and ".join(lost) or f"one of {self.world_size} ranks"
        return LostRankError(f"{who} was killed, or did not respond for {seconds:g} s")


SINGLE_PROCESS = DistributedContext()


def create_context(
    environment: Mapping[str, str], seconds: float, listen_socket: socket | None = None
) -> DistributedContext:
    """Return the context of this process from the variables of torchrun in the environment.

    seconds: timeout of the connection to the store.
    listen_socket: socket on which rank 0 listens already; None to listen on MASTER_PORT.
    """
    rank, world_size = int(environment.get("RANK", 0)), int(environment.get("WORLD_SIZE", 1))
    if world_size == 1:
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
    return DistributedContext(rank, world_size, int(environment.get("LOCAL_RANK", rank)), store)


@contextmanager
def _raise_peer_error() -> Iterator[None]:
    """Raise PeerError for each RuntimeError of torch.distributed."""
    try:
        yield
    except RuntimeError as error:
        raise PeerError(str(error)) from error


def _rank_key(rank: int) -> str:
    """Return the key under which a rank writes its process id and host when it connects."""
    return f"name {rank}"


def _read_store(store: Store, key: str, seconds: float) -> str | None:
    """Wait for a key and return its value; None if it is not written in time."""
    try:
        store.wait([key], timedelta(seconds=seconds))
        return str(store.get(key), "utf-8")
    except RuntimeError:
        return None
