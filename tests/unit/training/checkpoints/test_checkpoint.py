"""Checkpoints: a damaged one falls back to the previous one, and no code in a file is executed."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch
from support.checkpoints import SHAPES, save, step_of

from clip_hparam.training.checkpoints import checkpoint
from clip_hparam.training.checkpoints.progress import Selection

END = ".safetensors"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for step in (10, 20, 30):
        save(tmp_path / "checkpoint", step)
    return tmp_path / "checkpoint"


def newest(folder: Path) -> Path:
    return folder / f"step_000000030{END}"


def test_newest_state_is_loaded_unchanged(folder: Path) -> None:
    loaded, damaged = checkpoint.load(folder)
    assert loaded is not None
    assert damaged == []
    assert step_of(loaded) == 30
    assert loaded["progress"]["rows"] == [{"lr": 0.1}]


def test_two_checkpoints_are_kept(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        f"step_{step:09d}{END}{end}" for step in (20, 30) for end in ("", ".sha256")
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
    assert step_of(loaded) == 20
    assert damaged == [f"checkpoint {newest(folder).name} is damaged: going back to the one before"]


@pytest.mark.parametrize("size", [0, 1, 500, -1])
def test_truncated_file_falls_back_to_the_previous_checkpoint(folder: Path, size: int) -> None:
    newest(folder).write_bytes(newest(folder).read_bytes()[:size])
    loaded, damaged = checkpoint.load(folder)
    assert loaded is not None
    assert (step_of(loaded), len(damaged)) == (20, 1)


def test_checkpoint_without_sha256_is_not_loaded(folder: Path) -> None:
    newest(folder).with_name(newest(folder).name + ".sha256").unlink()
    loaded, damaged = checkpoint.load(folder)
    assert loaded is not None
    assert (step_of(loaded), len(damaged)) == (20, 1)


def test_no_state_if_all_checkpoints_are_damaged(folder: Path) -> None:
    for path in folder.glob(f"*{END}"):
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
    file = folder / "step_000000040.pt"
    torch.save({"step": Exploit(mark)}, file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    file.with_name(file.name + ".sha256").write_text(digest)
    loaded, damaged = checkpoint.load(folder)
    assert loaded is not None
    assert (step_of(loaded), len(damaged), mark.exists()) == (30, 1, False)


def test_temporary_files_of_a_killed_writer_are_removed(folder: Path) -> None:
    (folder / ".step_000000040.safetensors.abc").write_bytes(b"half")
    save(folder, 40)
    assert list(folder.glob(".*")) == []
    (folder / ".selected_0003.safetensors.abc").write_bytes(b"half")
    checkpoint.clear(folder)
    assert not folder.exists()


def selection(epoch: int) -> Selection:
    return Selection(epoch, {"raw": torch.full((200,), 100.0 + epoch)})


def selected_value(loaded: dict[str, Any] | None) -> float:
    assert loaded is not None
    (tensors,) = loaded["progress"]["weights"].values()
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == SHAPES
    return float(tensors["bias"][0])


def test_selected_weights_are_written_once_and_kept_while_a_checkpoint_needs_them(
    tmp_path: Path,
) -> None:
    first, second, third = map(selection, range(3))
    save(tmp_path, 1, first)
    (file,) = tmp_path.glob("selected_*")
    written = file.stat().st_mtime_ns
    save(tmp_path, 2, first)
    assert file.stat().st_mtime_ns == written
    assert selected_value(checkpoint.load(tmp_path)[0]) == 100
    save(tmp_path, 3, second)
    assert {path.name for path in tmp_path.glob("selected_*")} == {
        f"selected_000{epoch}{END}" for epoch in (0, 1)
    }
    save(tmp_path, 4, third)
    assert {path.name for path in tmp_path.glob("selected_*")} == {
        f"selected_000{epoch}{END}" for epoch in (1, 2)
    }


def test_damaged_selected_weights_fall_back_to_the_previous_checkpoint(tmp_path: Path) -> None:
    for step in (1, 2):
        save(tmp_path, step, selection(step))
    flipped(tmp_path / f"selected_0002{END}", 0.7)
    loaded, damaged = checkpoint.load(tmp_path)
    assert loaded is not None
    assert (step_of(loaded), len(damaged), selected_value(loaded)) == (1, 1, 101)
