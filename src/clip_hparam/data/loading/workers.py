"""Worker processes that read images into a shared buffer, run by torch's DataLoader."""

import signal
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from warnings import catch_warnings

import torch
from torch.utils.data import DataLoader, Dataset

from clip_hparam.data.dataset import Images
from clip_hparam.data.loading.lost_worker import lost_worker
from clip_hparam.data.loading.read_request import CHANNELS, ImageReader, ReadRequest
from clip_hparam.data.loading.shared_buffer import SharedBuffer
from clip_hparam.data.reading.errors import UnreadableImageError
from clip_hparam.subprocesses import exit_with_parent

CHUNK_SIZE = 32  # images that a worker reads at once; several workers share a batch
CHUNKS_AHEAD = 2  # chunks that each worker reads ahead


@dataclass(frozen=True, eq=False)
class Task:
    """Images to read at once, and the offset in the buffer to write them to."""

    request: ReadRequest
    offset: int


@dataclass(frozen=True, eq=False)
class BufferedReading(Dataset[Any]):
    """Reads the images of a task into the buffer, in a worker process."""

    sets: Mapping[str, Images]
    reader: ImageReader
    buffer: SharedBuffer

    def __getitems__(self, task: Task) -> UnreadableImageError | None:
        """Return the error of an unreadable image.

        It is returned because DataLoader turns a raised exception into a page of traceback.
        """
        images, out = self.sets[task.request.images], self.buffer.view(task.offset, task.request)
        try:
            self.reader.read(images, task.request, out)
        except UnreadableImageError as error:
            return error
        return None


class TaskSampler:
    """Cuts requests into tasks of CHUNK_SIZE images; `requests` are those of the next iteration.

    sent: the requests that the workers have or had, with the offsets of their batches.
    """

    def __init__(self, buffer: SharedBuffer) -> None:
        self.buffer = buffer
        self.requests: Iterable[ReadRequest] = ()
        self.sent: deque[Task] = deque()

    def __iter__(self) -> Iterator[Task]:
        self.sent.clear()
        itemsize = self.buffer.dtype.itemsize
        for request in self.requests:
            row_size = CHANNELS * request.resolution**2 * itemsize
            offset = self.buffer.take(len(request) * row_size)
            self.sent.append(Task(request, offset))
            for start in range(0, len(request), CHUNK_SIZE):
                part = request[start : start + CHUNK_SIZE]
                yield Task(part, offset + start * row_size)


class WorkerPool:
    """Processes that are forked once, and read all requests until `close`."""

    def __init__(self, dataset: BufferedReading, workers: int) -> None:
        self.buffer = dataset.buffer
        self.sampler = TaskSampler(dataset.buffer)
        with catch_warnings(action="ignore"):  # more workers than cores: `worker_count`
            self._loader: DataLoader[Any] = DataLoader(
                dataset,
                batch_sampler=self.sampler,  # type: ignore[arg-type] # items are passed on as is
                collate_fn=_identity_collate,
                num_workers=workers,
                prefetch_factor=CHUNKS_AHEAD,
                persistent_workers=True,
                worker_init_fn=_init_worker,
                multiprocessing_context="fork",  # spawn: each imports torch
                generator=torch.Generator(),  # default: a draw from torch's global generator
            )
        self._answers: Any = iter(self._loader)  # starts the processes

    def read(self, requests: Iterable[ReadRequest]) -> Iterator[Task]:
        """Yield each request, with the offset of its batch, once its images are in the buffer.

        A batch stays there until the next one is asked for.

        Raises: UnreadableImageError; LostWorkerError if a process was killed.
        """
        self.sampler.requests = requests
        received = 0
        for error in self._read_tasks():
            if error is not None:
                raise error
            received += 1
            if received == -(-len(self.sampler.sent[0].request) // CHUNK_SIZE):
                received = 0
                yield self.sampler.sent.popleft()

    def _read_tasks(self) -> Iterator[UnreadableImageError | None]:
        """Yield the result of a worker for each task. Raises LostWorkerError."""
        try:
            yield from iter(self._loader)
        except RuntimeError as error:
            if (
                lost := lost_worker(process.exitcode for process in self._answers._workers)
            ) is None:
                raise
            raise lost from error

    def close(self) -> None:
        """End the processes, also where a traceback still refers to their iterator."""
        self._answers._shutdown_workers()


def _init_worker(worker: int) -> None:
    """Leave Ctrl-C and the end of the terminal to the process of the trial."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    exit_with_parent()


def _identity_collate(answer: Any) -> Any:
    return answer
