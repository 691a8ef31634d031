"""Checkpoints of a trial, each with its sha256; the previous one is kept.

    runs/<trial_id>/checkpoint/step_<n>.pt and step_<n>.pt.sha256

Without these, a kill during torch.save leaves an unreadable file, and torch.load does not detect a
flipped bit.
"""

import hashlib
import io
import shutil
import warnings
from pathlib import Path
from typing import Any

import torch

from clip_hparam.records.atomic import sha256_of, write_atomic


def save(folder: Path, step: int, state: dict[str, Any]) -> None:
    """Write the state after `step` steps, then delete all older checkpoints but one."""
    for temporary in folder.glob(".step_*"):  # of a process that was killed while writing
        temporary.unlink()
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
    """Return the newest undamaged state, or None, and a sentence for each damaged checkpoint."""
    damaged: list[str] = []
    for path in _newest_first(folder):
        state = _load_verified(path)
        if state is not None:
            return state, damaged
        damaged.append(f"checkpoint {path.name} is damaged: going back to the one before")
    return None, damaged


def saved_step(folder: Path) -> int | None:
    """Return the number of steps of the newest checkpoint; None without a checkpoint."""
    newest = next(iter(_newest_first(folder)), None)
    return None if newest is None else int(newest.stem.removeprefix("step_"))


def clear(folder: Path) -> None:
    """Delete all checkpoints of a trial."""
    if folder.exists():
        shutil.rmtree(folder)


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("step_*.pt"), reverse=True)


def _digest_path(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _load_verified(path: Path) -> dict[str, Any] | None:
    """Return the state; None if the file does not match its sha256 or is unsafe to unpickle.

    Unpickling with `weights_only` executes no code of the file. It raises many types of errors for
    a file that was written by something else.
    """
    try:
        if sha256_of(path) != _digest_path(path).read_text():
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of pickle protocols
            state = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception:
        return None
    return state if isinstance(state, dict) else None
