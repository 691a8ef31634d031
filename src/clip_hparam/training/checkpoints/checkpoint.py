"""Checkpoints of a trial, each with its sha256; the previous one is kept.

    runs/<trial_id>/checkpoint/step_<n>.safetensors and step_<n>.safetensors.sha256
    runs/<trial_id>/checkpoint/selected_<epoch>.safetensors

The selected weights have a file of their own, written once. The second line of the sha256 file of
each checkpoint that needs it has its name and its sha256. Without these sums, a kill while a file
is written leaves an unreadable file, and a flipped bit is not detected. Earlier versions wrote
step_<n>.pt, which loads too.
"""

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from clip_hparam.records.atomic import sha256_of, write_atomic
from clip_hparam.training.checkpoints.content import Content, nested_state
from clip_hparam.training.checkpoints.snapshot import Snapshot
from clip_hparam.training.checkpoints.state_file import read_facts, write_parts

END, OLD_END = ".safetensors", ".pt"
KEPT = 2


def save(
    folder: Path,
    step: int,
    content: Content,
    snapshot: Snapshot,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Write the state after `step` steps, then delete all older checkpoints but one.

    snapshot: of the changing and constant parts of the content.

    Raises: CancelledError once `is_cancelled` returns True; the older checkpoints stay.
    """
    # left by a killed process
    for temporary in (*folder.glob(".step_*"), *folder.glob(".selected_*")):
        temporary.unlink()
    path = folder / f"step_{step:09d}{END}"
    parts = [*content.changing, *content.constant]
    digest = write_parts(path, parts, content.facts, snapshot, is_cancelled)
    selected = _save_selected(folder, content, is_cancelled)  # after what training waits for
    lines = [digest, *([" ".join(selected)] if selected else [])]
    write_atomic(_digest_path(path), "\n".join(lines).encode())
    paths = _newest_first(folder)
    for old in paths[KEPT:]:
        _digest_path(old).unlink(missing_ok=True)
        old.unlink()
    needed = {_selected_file(path) for path in paths[:KEPT]}
    for unneeded in folder.glob(f"selected_*{END}"):
        if unneeded.name not in needed:
            unneeded.unlink()


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
    return None if newest is None else _step_of(newest)


def clear(folder: Path) -> None:
    """Delete all checkpoints of a trial."""
    if folder.exists():
        shutil.rmtree(folder)


def _save_selected(
    folder: Path, content: Content, is_cancelled: Callable[[], bool]
) -> tuple[str, str] | None:
    """Write the selected weights, unless it was done; return the name and sha256 of their file."""
    selection = content.selection
    if selection is None:
        return None
    if selection.file is None:
        path = folder / f"selected_{selection.epoch:04d}{END}"
        constant = Snapshot((), [part.flat for part in content.selected])
        digest = write_parts(path, content.selected, {}, constant, is_cancelled)
        selection.file = (path.name, digest)
    return selection.file


def _newest_first(folder: Path) -> list[Path]:
    paths = (*folder.glob(f"step_*{END}"), *folder.glob(f"step_*{OLD_END}"))
    return sorted(paths, key=_step_of, reverse=True)


def _step_of(path: Path) -> int:
    return int(path.stem.removeprefix("step_"))


def _digest_path(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _digests(path: Path) -> tuple[str, tuple[str, str] | None]:
    """Return the sha256 of a checkpoint, and the name and sha256 of its selected weights."""
    digest, *more = _digest_path(path).read_text().split()
    return digest, (more[0], more[1]) if more else None


def _selected_file(path: Path) -> str | None:
    """Return the file of selected weights that a checkpoint needs; None if it needs none."""
    try:
        _, selected = _digests(path)
    except (OSError, ValueError):  # the process was killed between the two files
        return None
    return selected and selected[0]


def _load_verified(path: Path) -> dict[str, Any] | None:
    """Return the state; None if a file does not match its sha256 or is unsafe to unpickle.

    Unpickling with `weights_only` executes no code of the file. It raises many types of errors for
    a file that was written by something else.
    """
    try:
        digest, selected = _digests(path)
        if sha256_of(path) != digest:
            return None
        state = _load_old(path) if path.suffix == OLD_END else _load_parts(path, selected)
    except MemoryError:
        raise
    except Exception:
        return None
    return state if isinstance(state, dict) else None


def _load_parts(path: Path, selected: tuple[str, str] | None) -> dict[str, Any] | None:
    if selected is None:
        return nested_state(read_facts(path), load_file(path))
    file = path.with_name(selected[0])
    if sha256_of(file) != selected[1]:
        return None
    return nested_state(read_facts(path), load_file(path), load_file(file), selected)


def _load_old(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # warning about pickle protocols
        return torch.load(path, map_location="cpu", weights_only=True)
