"""Copies to the device: one for all tables, and on a GPU the next batch before it is needed."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor

from clip_hparam.data.device import to_device
from clip_hparam.data.loading import device_copy
from clip_hparam.data.loading.device_copy import (
    DeviceCopy,
    Transfer,
    tables_to_device,
)

CPU, META = torch.device("cpu"), torch.device("meta")
TABLES = [
    torch.tensor([True, False, True]),
    torch.arange(6).view(3, 2),
    torch.rand(3, 3),
    torch.arange(3, dtype=torch.int16),
]


class FakeStream:
    """A stream of a GPU, without a GPU."""

    def __init__(self, device: torch.device | None = None) -> None:
        self.waits: list[object] = []

    def record_event(self) -> str:
        return "arrived"

    def wait_event(self, event: object) -> None:
        self.waits.append(event)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let copies to cuda stay on the CPU, and return the list of what they did."""
    done: list[str] = []
    current, original = FakeStream(), Tensor.to

    def moved(self: Tensor, device: torch.device, **options: Any) -> Tensor:
        done.append(f"copied, {options}")
        return original(self, CPU, copy=True)

    monkeypatch.setattr(device_copy, "_create_stream", FakeStream)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: current)
    monkeypatch.setattr(Tensor, "to", moved)
    monkeypatch.setattr(Tensor, "pin_memory", lambda self: (done.append("pinned"), self)[1])
    monkeypatch.setattr(Tensor, "record_stream", lambda self, stream: done.append("kept"))
    return done


def test_batch_without_reused_memory_is_pinned_for_a_gpu(gpu: list[str]) -> None:
    copy, batch = DeviceCopy(torch.device("cuda")), torch.rand(2)
    transfer = copy.start(batch, reused=False)
    assert gpu == ["pinned", "copied, {'non_blocking': True}"]
    assert torch.equal(transfer.result(), batch)
    assert gpu[-1] == "kept"


def test_batch_in_reused_memory_is_not_copied_on_the_host(gpu: list[str]) -> None:
    DeviceCopy(torch.device("cuda")).start(torch.rand(2), reused=True)
    assert gpu == ["copied, {'non_blocking': True}"]


def test_table_is_pinned_for_a_gpu(gpu: list[str]) -> None:
    to_device(torch.rand(2), torch.device("cuda"))
    assert gpu == ["pinned", "copied, {'non_blocking': True}"]


def test_copy_on_a_cpu_survives_the_reuse_of_its_memory() -> None:
    batch = torch.zeros(2)
    kept = DeviceCopy(CPU).start(batch, reused=True).result()
    batch.fill_(1)
    assert kept.tolist() == [0, 0]
    assert DeviceCopy(CPU).start(batch, reused=False).result() is batch


@pytest.mark.parametrize(("ahead", "order"), [(True, "s0 s1 0 s2 1 2"), (False, "s0 0 s1 1 s2 2")])
def test_next_copy_begins_before_a_batch_is_used_on_a_gpu(
    ahead: bool, order: str, gpu: list[str]
) -> None:
    seen: list[str] = []

    def transfers() -> Iterator[Transfer]:
        for number in range(3):
            seen.append(f"s{number}")
            yield Transfer(torch.tensor(number))

    copy = DeviceCopy(torch.device("cuda") if ahead else CPU)
    for batch in copy.batches(transfers()):
        seen.append(str(int(batch)))
    assert " ".join(seen) == order


def test_tables_are_moved_by_one_copy(gpu: list[str]) -> None:
    moved = tables_to_device(TABLES, torch.device("cuda"))
    assert gpu == ["pinned", "copied, {'non_blocking': True}"]
    assert [table.dtype for table in moved] == [table.dtype for table in TABLES]
    assert all(map(torch.equal, moved, TABLES))


def test_tables_keep_shape_and_type_on_any_device() -> None:
    moved = tables_to_device(TABLES, META)
    assert [(one.dtype, one.shape) for one in moved] == [(one.dtype, one.shape) for one in TABLES]
    assert all(
        one is other for one, other in zip(tables_to_device(TABLES, CPU), TABLES, strict=True)
    )
