"""A trial's resumable state: written whole, proven by sha256, the one before kept until it is.

    runs/<trial_id>/checkpoint/step_<n>.pt and step_<n>.pt.sha256

torch.save alone leaves unreadable files when killed, and loads a flipped bit without a word.
"""

import hashlib
import io
import pickle
import shutil
from pathlib import Path
from typing import Any

import torch

from clip_hparam.records.atomic import sha256_of, write_atomic


def save(folder: Path, step: int, state: dict[str, Any]) -> None:
    """Write the state after `step` steps; older ones go once this one is there, but for one."""
    for left in folder.glob(".step_*"):  # by a process that was killed while writing
        left.unlink()
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getvalue()
    path = folder / f"step_{step:09d}.pt"
    write_atomic(path, content)
    write_atomic(_digest_path(path), hashlib.sha256(content).hexdigest().encode())
    for old in _newest_first(folder)[2:]:
        _digest_path(old).unlink(missing_ok=True)
        old.unlink()


def load(folder: Path) -> tuple[dict[str, Any] | None, list[str]]:
    """The newest state that verifies, or None, and a sentence for each one that does not."""
    damaged: list[str] = []
    for path in _newest_first(folder):
        state = _load_verified(path)
        if state is not None:
            return state, damaged
        damaged.append(f"checkpoint {path.name} is damaged: going back to the one before")
    return None, damaged


def clear(folder: Path) -> None:
    """Remove all states of a trial that is done."""
    if folder.exists():
        shutil.rmtree(folder)


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("step_*.pt"), reverse=True)


def _digest_path(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _load_verified(path: Path) -> dict[str, Any] | None:
    """The state, or None for a file that is not what was written; nothing in it is executed."""
    try:
        if sha256_of(path) != _digest_path(path).read_text():
            return None
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, pickle.UnpicklingError):
        return None
    return state
