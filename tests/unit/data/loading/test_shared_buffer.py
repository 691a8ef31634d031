"""The ring of memory: parts do not overlap while in use, and too little memory is one sentence."""

from pathlib import Path

import numpy as np
import pytest
import torch

from clip_hparam.data.loading import shared_buffer
from clip_hparam.data.loading.read_request import ReadRequest
from clip_hparam.data.loading.shared_buffer import (
    SharedBuffer,
    SharedMemoryError,
    available_memory,
    require_memory,
)


class Copy:
    """An event that records that it was waited for."""

    def __init__(self) -> None:
        self.waited = 0

    def synchronize(self) -> None:
        self.waited += 1


def test_parts_follow_each_other_and_begin_again_where_one_does_not_fit() -> None:
    buffer = SharedBuffer(100, torch.uint8)
    assert [buffer.take(size) for size in (40, 40, 30, 60, 20, 100)] == [0, 40, 0, 30, 0, 0]


def test_part_is_taken_again_only_after_the_copies_of_it() -> None:
    buffer = SharedBuffer(100, torch.uint8)
    copies = {offset: Copy() for offset in (0, 40, 80)}
    for offset, copy in copies.items():
        assert buffer.take(20 if offset == 80 else 40) == offset
        buffer.keep_until(copy, offset, 20 if offset == 80 else 40)
    assert buffer.take(50) == 0
    assert [copy.waited for copy in copies.values()] == [1, 1, 0]
    late = Copy()
    buffer.keep_until(late, 0, 50)
    assert buffer.take(25) == 50
    assert buffer.take(30) == 0  # the part at 80 is left out, and stays in use
    assert [copy.waited for copy in (*copies.values(), late)] == [1, 1, 0, 1]


def test_views_share_the_memory() -> None:
    buffer = SharedBuffer(4 * 3 * 4 * 2, torch.float32)
    request = ReadRequest("train", np.arange(2), None, 2)
    buffer.view(0, request)[1] = 7
    assert buffer.view(0, request).shape == (2, 3, 2, 2)
    assert buffer.view(4 * 12, request[1:]).unique().tolist() == [7]


def test_pages_are_pinned_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, int]] = []

    class Runtime:
        def cudaHostRegister(self, address: int, size: int, flags: int) -> int:  # noqa: N802
            calls.append(("pin", size))
            return 0

        def cudaHostUnregister(self, address: int) -> int:  # noqa: N802
            calls.append(("unpin", 0))
            return 0

    monkeypatch.setattr(torch.cuda, "cudart", Runtime)
    monkeypatch.setattr(torch.cuda, "check_error", lambda code: calls.append(("code", code)))
    buffer = SharedBuffer(100, torch.uint8)
    buffer.pin()
    buffer.unpin()
    assert calls == [("pin", 100), ("code", 0), ("unpin", 0)]


def test_too_little_memory_is_one_sentence_with_the_option_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "meminfo"
    info.write_text("MemTotal: 9999 kB\nMemAvailable: 2048 kB\n")
    monkeypatch.setattr(shared_buffer, "MEMORY_INFO", info)
    assert available_memory() == 2 * 2**20
    require_memory(2 * 2**20, 8)
    with pytest.raises(SharedMemoryError) as error:
        require_memory(30 * 2**20, 8)
    assert "machine.loader_workers=8 needs 30 MB" in str(error.value)
    assert "2 MB are available: try machine.loader_workers=4" in str(error.value)
    info.unlink()
    require_memory(2**60, 8)
