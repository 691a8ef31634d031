"""Load batches of images to a device, read by this process or by its worker processes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from clip_hparam.data.dataset import Images
from clip_hparam.data.loading.device_copy import DeviceCopy, Transfer
from clip_hparam.data.loading.read_request import CHANNELS, ImageReader, ReadRequest
from clip_hparam.data.loading.shared_buffer import (
    SharedBuffer,
    require_locks,
    require_memory,
)
from clip_hparam.data.loading.wait_clock import WaitClock
from clip_hparam.data.loading.workers import (
    CHUNK_SIZE,
    CHUNKS_AHEAD,
    BufferedReading,
    Task,
    WorkerPool,
)

BATCHES_IN_USE = 3  # the one that is copied, the one that follows, and the gap at the ring's end
CPU = torch.device("cpu")


@dataclass(frozen=True)
class LoaderOptions:
    """How images are loaded.

    workers: processes that read; 0: the process of the trial reads.
    rows, resolution: largest batch in images, and largest side of its images in px.
    """

    workers: int = 0
    rows: int = 256
    resolution: int = 224
    device: torch.device = CPU


class ImageLoader:
    """Loads batches to a device.

    sets: images by name; requests name them.
    The worker processes start with the first batch, and are kept until `close` or an error.
    """

    def __init__(
        self,
        sets: Mapping[str, Images],
        reader: ImageReader,
        options: LoaderOptions,
        clock: WaitClock,
    ) -> None:
        self.sets, self.reader, self.options, self.clock = sets, reader, options, clock
        self._copy = DeviceCopy(options.device)
        self._pool: WorkerPool | None = None

    def batches(self, requests: Sequence[ReadRequest]) -> Iterator[Tensor]:
        """Yield a batch for each request: dtype of the reader, shape (n, 3, r, r).

        Raises: UnreadableImageError; SharedMemoryError before the first batch.
        """
        by_workers = bool(self.options.workers) and all(map(self._fits, requests))
        read = self._by_workers if by_workers else self._here
        return self._copy.batches(read(requests))

    def close(self) -> None:
        """End the worker processes; the next batch starts new ones."""
        if self._pool is not None:
            self._pool.close()
            if self.options.device.type == "cuda":
                self._pool.buffer.unpin()
            self._pool = None

    def _fits(self, request: ReadRequest) -> bool:
        options = self.options
        return len(request) <= options.rows and request.resolution <= options.resolution

    def _here(self, requests: Sequence[ReadRequest]) -> Iterator[Transfer]:
        for request in requests:
            with self.clock.running():
                batch = torch.empty(request.shape, dtype=self.reader.dtype)
                self.reader.read(self.sets[request.images], request, batch)
            yield self._copy.start(batch, reused=False)

    def _by_workers(self, requests: Sequence[ReadRequest]) -> Iterator[Transfer]:
        try:
            with self.clock.running():
                pool = self._started_pool()
                tasks = pool.read(requests)
                task = next(tasks, None)
            while task is not None:
                yield self._copied(pool.buffer, task)
                with self.clock.running():
                    task = next(tasks, None)
        except Exception:
            self.close()
            raise

    def _copied(self, buffer: SharedBuffer, task: Task) -> Transfer:
        batch = buffer.view(task.offset, task.request)
        transfer = self._copy.start(batch, reused=True)
        if transfer.event is not None:
            buffer.keep_until(transfer.event, task.offset, batch.nbytes)
        return transfer

    def _started_pool(self) -> WorkerPool:
        """Return the pool, whose buffer is pinned if the device is a GPU."""
        if self._pool is None:
            options = self.options
            ahead = CHUNK_SIZE * CHUNKS_AHEAD * options.workers
            row_size = CHANNELS * options.resolution**2 * self.reader.dtype.itemsize
            size = (ahead + BATCHES_IN_USE * options.rows) * row_size
            require_memory(size, options.workers)
            require_locks(options.workers)
            buffer = SharedBuffer(size, self.reader.dtype)
            reading = BufferedReading(self.sets, self.reader, buffer)
            self._pool = WorkerPool(reading, options.workers)
            if options.device.type == "cuda":
                buffer.pin()  # after the fork: the processes do not inherit the lock
        return self._pool
