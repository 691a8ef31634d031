"""Checkpoints: a damaged one falls back to the previous one, and no code in a file is executed."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch

from clip_hparam.training import checkpoint

Files = list[Path]


def state(step: int) -> dict[str, Any]:
    return {"step": step, "weights": torch.full((200,), float(step)), "rows": [{"lr": 0.1}]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for step in (10, 20, 30):
        checkpoint.save(tmp_path / "checkpoint", step, state(step))
    return tmp_path / "checkpoint"


def newest(folder: Path) -> Path:
    return folder / "step_000000030.pt"


def test_newest_state_is_loaded_unchanged(folder: Path) -> None:
    loaded, damaged = checkpoint.load(folder)
    assert loaded is not None
    assert damaged == []
    assert (loaded["step"], loaded["rows"]) == (30, [{"lr": 0.1}])
    assert torch.equal(loaded["weights"], state(30)["weights"])


def test_two_checkpoints_are_kept(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        f"step_{step:09d}.pt{end}" for step in (20, 30) for end in ("", ".sha256")
    ]


def flipped(path: Path, at: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(at * (len(content) - 1))] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("at", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0])
def test_flipped_bit_falls_back_to_the_previous_checkpoint(folder: Path, at: float) -> None:
    flipped(newest(folder), at)
    loaded, damaged = checkpoint.load(folder)
    assert loaded is not None
    assert loaded["step"] == 20
    assert damaged == [f"checkpoint {newest(folder).name} is damaged: going back to the one before"]


@pytest.mark.parametrize("size", [0, 1, 500, -1])
def test_truncated_file_falls_back_to_the_previous_checkpoint(folder: Path, size: int) -> None:
    newest(folder).write_bytes(newest(folder).read_bytes()[:size])
    loaded, damaged = checkpoint.load(folder)
    assert loaded is not None
    assert (loaded["step"], len(damaged)) == (20, 1)


def test_checkpoint_without_sha256_is_not_loaded(folder: Path) -> None:
    newest(folder).with_name(newest(folder).name + ".sha256").unlink()
    loaded, damaged = checkpoint.load(folder)
    assert loaded is not None
    assert (loaded["step"], len(damaged)) == (20, 1)


def test_no_state_if_all_checkpoints_are_damaged(folder: Path) -> None:
    for path in folder.glob("*.pt"):
        flipped(path, 0.5)
    assert checkpoint.load(folder)[0] is None
    assert len(checkpoint.load(folder)[1]) == 2


def test_no_state_without_a_folder(tmp_path: Path) -> None:
    assert checkpoint.load(tmp_path / "none") == (None, [])
    checkpoint.clear(tmp_path / "none")


class Exploit:
    """Creates a file when it is unpickled, as malicious code could."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def test_malicious_pickle_with_a_valid_sha256_is_not_executed(folder: Path, tmp_path: Path) -> None:
    mark = tmp_path / "exploded"
    torch.save({"step": Exploit(mark)}, newest(folder))
    digest = hashlib.sha256(newest(folder).read_bytes()).hexdigest()
    newest(folder).with_name(newest(folder).name + ".sha256").write_text(digest)
    loaded, damaged = checkpoint.load(folder)
    assert loaded is not None
    assert (loaded["step"], len(damaged), mark.exists()) == (20, 1, False)


def test_temporary_files_of_a_killed_writer_are_removed(folder: Path) -> None:
    (folder / ".step_000000040.pt.abc").write_bytes(b"half")
    checkpoint.save(folder, 40, state(40))
    assert list(folder.glob(".*")) == []
    (folder / ".step_000000050.pt.abc").write_bytes(b"half")
    checkpoint.clear(folder)
    assert not folder.exists()
