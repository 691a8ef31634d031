"""The bytes of tensors at a step boundary, read by a thread while training continues.

Training changes weights and moments only in an optimizer step. Until the next step the reader reads
the tensors themselves, chunk by chunk. `release`, called just before that step, waits up to
RELEASE_SECONDS until the unread bytes fit `memory`, and copies them to the host.
"""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from time import monotonic

import torch
from torch import Tensor

CHUNK_BYTES = 2**24
RELEASE_SECONDS = 30.0  # a slower disk gets more memory, so that other ranks do not time out


class Snapshot:
    """Bytes of flat, contiguous tensors of one device, in their order.

    changing: overwritten by the next optimizer step.
    constant: read after these, and never copied before.
    memory: bytes of host memory that copies may take.
    """

    def __init__(
        self, changing: Sequence[Tensor], constant: Sequence[Tensor] = (), memory: int = 0
    ) -> None:
        self._changing, self._constant = map(_split, (changing, constant))
        self._left = sum(map(len, self._changing))
        self._memory = memory
        self._changed = threading.Condition()
        self._is_copied = False
        self._gpu = next(
            (tensor.device for tensor in (*changing, *constant) if tensor.is_cuda), None
        )
        self._written = _record_event(self._gpu)

    def read(self) -> Iterator[Tensor]:
        """Yield the bytes, uint8 in host memory; each tensor is valid until the next one."""
        buffer: Tensor | None = None
        stream = _create_stream(self._gpu)
        while True:
            with self._changed:
                overwritten = bool(self._changing)
                if not overwritten and not self._constant:
                    return
                chunk = (self._changing or self._constant).popleft()
                self._left -= len(chunk) if overwritten else 0
                self._changed.notify()
                if chunk.is_cuda or (overwritten and not self._is_copied):
                    buffer = self._host_memory(CHUNK_BYTES) if buffer is None else buffer
                    chunk = self._copy(chunk, buffer[: len(chunk)], stream)
            if self._written is not None and self._is_copied:
                self._written.synchronize()
            yield chunk

    def release(self) -> None:
        """Copy the unread tensors; afterwards they may change.

        Wait before that, up to RELEASE_SECONDS, until the copies fit the memory.
        """
        end = monotonic() + RELEASE_SECONDS
        with self._changed:
            if self._is_copied:
                return
            while self._left > self._memory and (seconds := end - monotonic()) > 0:
                self._changed.wait(seconds)
            self._changing = deque(
                self._host_memory(len(chunk)).copy_(chunk, non_blocking=True)
                for chunk in self._changing
            )
            self._written = _record_event(self._gpu)
            self._is_copied = True

    def drop(self) -> None:
        """Drop the unread tensors, because the reader ended."""
        with self._changed:
            self._changing.clear()
            self._constant.clear()
            self._left = 0
            self._changed.notify()

    def _host_memory(self, size: int) -> Tensor:
        return torch.empty(size, dtype=torch.uint8, pin_memory=self._gpu is not None)

    def _copy(self, chunk: Tensor, target: Tensor, stream: "torch.cuda.Stream | None") -> Tensor:
        """Return the chunk, copied to `target`, after the kernels that wrote it."""
        if stream is None or self._written is None:
            return target.copy_(chunk)
        with torch.cuda.stream(stream):
            stream.wait_event(self._written)
            target.copy_(chunk, non_blocking=True)
        stream.synchronize()
        return target


def _split(tensors: Sequence[Tensor]) -> deque[Tensor]:
    """Return the bytes of the tensors in chunks."""
    return deque(
        chunk for tensor in tensors for chunk in torch.split(tensor.view(torch.uint8), CHUNK_BYTES)
    )


def _record_event(gpu: torch.device | None) -> torch.cuda.Event | None:
    """Return an event at the end of the present work of a GPU's stream; None without a GPU."""
    if gpu is None:
        return None
    event = torch.cuda.Event()  # type: ignore[no-untyped-call]
    event.record(torch.cuda.current_stream(gpu))
    return event


def _create_stream(gpu: torch.device | None) -> torch.cuda.Stream | None:
    """Return a stream for copies from a GPU; None without a GPU."""
    if gpu is None:
        return None
    return torch.cuda.Stream(gpu)  # type: ignore[no-untyped-call]
