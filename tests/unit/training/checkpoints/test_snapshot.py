"""A snapshot has the bytes of its moment, whatever training does to the tensors afterwards."""

import threading

import pytest
import torch
from torch import Tensor

from clip_hparam.training.checkpoints import snapshot as module
from clip_hparam.training.checkpoints.snapshot import Snapshot

CHUNK = 64
TENSORS = [torch.arange(40.0), torch.arange(100.0, 107.0)]
WHOLE = b"".join(tensor.numpy().tobytes() for tensor in TENSORS)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_BYTES", CHUNK)


def changing() -> list[Tensor]:
    return [tensor.clone() for tensor in TENSORS]


def read_all(snapshot: Snapshot) -> bytes:
    return b"".join(chunk.numpy().tobytes() for chunk in snapshot.read())


@pytest.mark.parametrize("read_before", range(5))
def test_tensors_may_change_after_release(read_before: int) -> None:
    tensors = changing()
    snapshot = Snapshot(tensors, memory=len(WHOLE))
    chunks = snapshot.read()
    read = b"".join(next(chunks).numpy().tobytes() for _ in range(read_before))
    snapshot.release()
    for tensor in tensors:
        tensor.fill_(-1)
    assert read + b"".join(chunk.numpy().tobytes() for chunk in chunks) == WHOLE


def test_release_waits_until_the_rest_fits_the_memory() -> None:
    tensors = changing()
    snapshot = Snapshot(tensors, memory=CHUNK)
    released = threading.Event()

    def release() -> None:
        snapshot.release()
        released.set()

    thread = threading.Thread(target=release)
    thread.start()
    chunks = snapshot.read()
    assert next(chunks).numpy().tobytes() == WHOLE[:CHUNK]  # of 4 chunks, 3 are left
    assert not released.wait(0.05)
    next(chunks)
    assert released.wait(10)
    thread.join()
    assert snapshot._left == len(WHOLE) - 2 * CHUNK


def test_release_ends_where_the_reader_has_failed_or_is_too_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed = Snapshot(changing(), memory=0)
    failed.drop()
    failed.release()
    assert read_all(failed) == b""
    monkeypatch.setattr(module, "RELEASE_SECONDS", 0.01)
    slow, tensors = changing(), changing()
    snapshot = Snapshot(slow, memory=0)
    snapshot.release()
    for tensor in slow:
        tensor.zero_()
    assert read_all(snapshot) == WHOLE
    assert all(torch.equal(*pair) for pair in zip(tensors, TENSORS, strict=True))


def test_constant_tensors_are_read_last_and_never_copied() -> None:
    constant = torch.arange(5.0)
    snapshot = Snapshot(changing(), [constant], memory=len(WHOLE))
    snapshot.release()
    *_, last = snapshot.read()
    assert last.data_ptr() == constant.data_ptr()
    assert read_all(Snapshot(changing(), [constant])) == WHOLE + constant.numpy().tobytes()
