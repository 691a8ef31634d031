"""Data parallelism: a trial in several processes, one per rank.

The ranks find each other as those of torchrun do: by RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and
MASTER_PORT, which the local launcher sets, or submitit's TorchDistributedEnvironment in a Slurm
job. Each rank trains on its rows of every batch, and gradients are averaged: the batch size is that
of the recipe for any number of ranks. Each rank evaluates every WORLD_SIZE-th batch. Rank 0 alone
writes the record. A trial in one process is rank 0 of 1 and communicates with no other process.

`training.ranks` connects the ranks, averages their gradients and names a rank that is lost.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
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
COMMUNICATION_MARKS = ("gloo", "nccl", "caused pair closure")
"""Parts of the errors of communication: libraries name themselves, but not in a timeout of gloo."""
T = TypeVar("T")


class PeerError(RuntimeError):
    """A collective operation failed; the rank that caused it is unknown here."""


@dataclass
class ConnectionState:
    """State that changes while a rank is connected.

    collectives: number of collective operations that it has begun. Where all ranks wait, the rank
        with fewest is the one that the others wait for.
    device_group: connects the GPUs of the ranks; None if tensors are on the CPU.
    """

    collectives: int = 0
    device_group: dist.ProcessGroup | None = None


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
    connection: ConnectionState = field(default_factory=ConnectionState, compare=False)

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
        """Return the parts of all ranks, one per batch, in the order of the batches.

        The exchange is on the CPU, by gloo, and waits for no GPU.
        """
        if self.world_size == 1:
            return list(parts)
        parts_of_ranks: list[Any] = [None] * self.world_size
        with self.collective():
            dist.all_gather_object(parts_of_ranks, list(parts))
        missing = object()
        in_order = chain.from_iterable(zip_longest(*parts_of_ranks, fillvalue=missing))
        return [part for part in in_order if part is not missing]

    def wait_for_all(self) -> None:
        """Wait on the CPU until all ranks reach this call; raise PeerError if one does not."""
        self.all_gather([])

    def all_reduce_mean(self, value: Tensor) -> None:
        """Replace a tensor by its mean over the ranks, which has the same bits on each rank.

        The host does not wait for a GPU.
        """
        if self.world_size == 1:
            return
        with self.collective():
            dist.all_reduce(value, group=self.connection.device_group)
        value.div_(self.world_size)

    @contextmanager
    def collective(self) -> Iterator[None]:
        """Count a collective operation, and raise PeerError if it fails.

        Other errors inside the `with` block, such as a GPU out of memory, are not changed.
        """
        self.connection.collectives += 1
        with raise_peer_error():
            yield

    def broadcast(self, tensor: Tensor) -> None:
        """Replace a tensor by that of rank 0."""
        if self.world_size > 1:
            with self.collective():
                dist.broadcast(tensor, src=0, group=self.connection.device_group)

    def wait_for_main(self) -> None:
        """Wait until rank 0 has locked the record of the trial and connects.

        Raises: PeerError if rank 0 exits before that, as for a trial that is done already.
        """
        with raise_peer_error():
            while self.store is not None and not self.store.check([name_key(0)]):
                time.sleep(POLL_SECONDS)


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
    with raise_peer_error():
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
def raise_peer_error() -> Iterator[None]:
    """Raise PeerError for each error of torch.distributed and of its libraries.

    Errors of a backward pass keep their type, unless gloo or nccl is named in them: gloo raises
    plain RuntimeError.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        if is_communication_error(error):
            raise PeerError(str(error)) from error
        raise


def is_communication_error(error: RuntimeError) -> bool:
    """Return whether an error is of torch.distributed, gloo or nccl."""
    message = str(error).lower()
    return isinstance(error, dist.DistError) or any(mark in message for mark in COMMUNICATION_MARKS)


def name_key(rank: int) -> str:
    """Return the key under which a rank writes its process id and host when it connects."""
    return f"name {rank}"
