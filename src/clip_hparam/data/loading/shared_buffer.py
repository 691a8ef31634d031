"""Memory that worker processes write batches to, and a GPU copies them from.

It is one anonymous mapping that forked processes share. It is not in /dev/shm, which containers
limit to 64 MB by default, and its pages are touched once, not for each batch.
"""

import mmap
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from clip_hparam.data.loading.read_request import ReadRequest

MEMORY_INFO = Path("/proc/meminfo")
LOCKS_PER_QUEUE = 4  # upper bound for a queue of multiprocessing


class SharedMemoryError(RuntimeError):
    """This computer has too little shared memory for the worker processes."""


class CopyEvent(Protocol):
    """An event of a GPU stream."""

    def synchronize(self) -> None:
        """Wait until the work before the event is done."""


class SharedBuffer:
    """A ring of `size` bytes, of which each batch takes one contiguous part.

    A part is taken again once the ring is through. Whoever takes parts must have left enough room
    for those in use; only copies to a GPU are waited for.
    """

    def __init__(self, size: int, dtype: torch.dtype) -> None:
        self.size, self.dtype = size, dtype
        self._memory = mmap.mmap(-1, size)
        self._cursor = 0
        self._copies: list[tuple[int, int, CopyEvent]] = []

    def take(self, size: int) -> int:
        """Return the offset of the next free part of `size` bytes."""
        start = self._cursor if self._cursor + size <= self.size else 0
        self._cursor = start + size
        for copy in [copy for copy in self._copies if copy[0] < self._cursor and start < copy[1]]:
            copy[2].synchronize()
            self._copies.remove(copy)
        return start

    def keep_until(self, event: CopyEvent, offset: int, size: int) -> None:
        """Do not give away a part again before the event."""
        self._copies.append((offset, offset + size, event))

    def view(self, offset: int, request: ReadRequest) -> Tensor:
        """Return the part at an offset as the batch of a request."""
        shape = request.shape
        count = shape[0] * shape[1] * shape[2] * shape[3]
        flat = torch.frombuffer(self._memory, dtype=self.dtype, count=count, offset=offset)
        return flat.view(shape)

    def pin(self) -> None:
        """Lock the pages for copies by a GPU, which then do not wait for it."""
        whole = torch.frombuffer(self._memory, dtype=torch.uint8)
        code = _cuda_runtime().cudaHostRegister(whole.data_ptr(), self.size, 0)
        torch.cuda.check_error(int(code))

    def unpin(self) -> None:
        """Undo `pin`, before the memory is freed."""
        whole = torch.frombuffer(self._memory, dtype=torch.uint8)
        _cuda_runtime().cudaHostUnregister(whole.data_ptr())


def _cuda_runtime() -> Any:
    return torch.cuda.cudart()  # type: ignore[no-untyped-call] # untyped in torch


def require_memory(size: int, workers: int) -> None:
    """Raise SharedMemoryError unless `size` bytes of memory are available."""
    available = available_memory()
    if available is not None and size > available:
        raise SharedMemoryError(
            f"machine.loader_workers={workers} needs {size / 2**20:.0f} MB of shared memory for"
            f" batches, and {available / 2**20:.0f} MB are available: try"
            f" machine.loader_workers={max(workers // 2, 0)}, or a job with more memory"
        )


def require_locks(workers: int) -> None:
    """Raise SharedMemoryError unless /dev/shm has room for the locks of the processes' queues."""
    try:
        _locks = [get_context("fork").Lock() for _ in range(LOCKS_PER_QUEUE * (workers + 1))]
    except OSError as error:
        raise SharedMemoryError(
            f"machine.loader_workers={workers} needs locks in /dev/shm, which has no room for them"
            f" ({error.strerror}): make it larger (docker run --shm-size=64m), or try"
            " machine.loader_workers=0"
        ) from error


def available_memory() -> int | None:
    """Return the bytes that processes can still allocate; None if the system does not say."""
    try:
        lines = MEMORY_INFO.read_text().splitlines()
    except OSError:
        return None
    sizes = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(sizes[0]) * 1024 if sizes else None
