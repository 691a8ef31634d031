"""Copies to the device of a trial for which the host does not wait."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from clip_hparam.data.device import to_device

ALIGNMENT = 8  # bytes, of the largest dtype in a table


class Transfer(NamedTuple):
    """A batch on its way to the device. event: its arrival on a GPU; None: it has arrived."""

    batch: Tensor
    event: torch.cuda.Event | None = None

    def result(self) -> Tensor:
        """Return the batch; the current stream of a GPU waits for it, the host does not."""
        if self.event is not None:
            stream = torch.cuda.current_stream(self.batch.device)
            stream.wait_event(self.event)
            self.batch.record_stream(stream)
        return self.batch


class DeviceCopy:
    """Copies batches to a device; to a GPU on a separate stream, during the computation."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.stream = _create_stream(device) if device.type == "cuda" else None

    def start(self, batch: Tensor, reused: bool) -> Transfer:
        """Start to copy a batch.

        reused: its memory will hold another batch; it is pinned if the device is a GPU.
        """
        if self.stream is None:
            return Transfer(batch.to(self.device, non_blocking=True, copy=reused))
        with torch.cuda.stream(self.stream):
            source = batch if reused else batch.pin_memory()
            moved = source.to(self.device, non_blocking=True)
            return Transfer(moved, self.stream.record_event())

    def batches(self, transfers: Iterator[Transfer]) -> Iterator[Tensor]:
        """Yield the batches; on a GPU the copy of the next one has begun before."""
        if self.stream is None:
            yield from (transfer.result() for transfer in transfers)
            return
        ahead = next(transfers, None)
        while ahead is not None:
            current, ahead = ahead, next(transfers, None)
            yield current.result()


def _create_stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call] # untyped in torch


def tables_to_device(tables: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """Return the tables on the device after one copy, as `to_device`; on a CPU as they are."""
    if device.type == "cpu":
        return list(tables)
    parts = [_padded(table.ravel().view(torch.uint8)) for table in tables]
    moved = torch.split(to_device(torch.cat(parts), device), [len(part) for part in parts])
    return [
        part[: table.nbytes].view(table.dtype).view(table.shape)
        for part, table in zip(moved, tables, strict=True)
    ]


def _padded(part: Tensor) -> Tensor:
    """Return the bytes with zeros up to a multiple of ALIGNMENT."""
    return F.pad(part, (0, -len(part) % ALIGNMENT))
