"""Seconds of a checkpoint, and whether it gives the state back."""

import math
import shutil
import time
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from clip_hparam.training.checkpoints import checkpoint
from clip_hparam.training.checkpoints.content import restore_checkpoint
from clip_hparam.training.checkpoints.progress import Progress
from clip_hparam.training.checkpoints.writer import CheckpointWriter
from clip_hparam.training.engine import train_step
from clip_hparam.training.throughput import synchronize
from clip_hparam.training.train_state import TrainState
from gpu_checks.check import Figure, Finding, Setup, Task, failed, passed
from gpu_checks.inputs import B16, L14, NAMES, TINY, draw_batch, folder_recipe, state_of

CASES = {"B/16": (B16, 224), "L/14": (L14, 224)}
LIMIT_SECONDS = 30.0  # of a save at a preemption
IMAGES, EPOCH_STEPS = 4, 100
GB = 1e9
Batch = tuple[Tensor, Tensor]


def save_and_load(setup: Setup, case: str) -> Finding:
    """Save as at a preemption, save beside a step, and load the state."""
    name, resolution = CASES[case] if setup.on_gpu else (TINY, 32)
    recipe = folder_recipe(setup, name, resolution, precision="bf16")
    state = state_of(recipe, setup.device, len(NAMES))
    batch = draw_batch(IMAGES, resolution, len(NAMES), setup.device)
    train_step(state, 0, *batch)
    folder = setup.folder / "checkpoint"
    folder.mkdir()
    try:
        with CheckpointWriter(folder, math.inf, state, Progress(), EPOCH_STEPS) as writer:
            started = time.perf_counter()
            writer.save_now()
            seconds = time.perf_counter() - started
        written = sum(path.stat().st_size for path in folder.iterdir())
        is_equal = _gives_back(state, batch, folder)
        waited = _wait_of_a_step(state, folder)
    finally:
        shutil.rmtree(folder)
    figures: dict[str, Figure] = {
        "seconds": round(seconds, 2),
        "GB": round(written / GB, 3),
        "GB/s": round(written / GB / seconds, 2),
        "step waits s": round(waited, 3),
    }
    if not is_equal:
        return failed("the loaded state has other bits", **figures)
    if seconds > LIMIT_SECONDS:
        return failed(f"a save takes longer than {LIMIT_SECONDS:.0f} s", **figures)
    return passed("", **figures)


def _gives_back(state: TrainState, batch: Batch, folder: Path) -> bool:
    """Train one more step, load the saved state, and return whether the weights are as before."""
    before = {name: flat.clone() for name, flat in state.flat_weights.items()}
    train_step(state, 1, *batch)
    saved, damaged = checkpoint.load(folder)
    if saved is None or damaged or torch.equal(state.flat_weights["raw"], before["raw"]):
        return False
    restore_checkpoint(state, saved)
    return all(torch.equal(flat, before[name]) for name, flat in state.flat_weights.items())


def _wait_of_a_step(state: TrainState, folder: Path) -> float:
    """Return for how long the step after a save in the background waits for it."""
    with CheckpointWriter(folder, 0.0, state, Progress(), EPOCH_STEPS) as writer:
        synchronize(state.device)
        writer.save_if_due()
        started = time.perf_counter()
        writer.release()
        return time.perf_counter() - started


TASKS = tuple(
    Task(f"checkpoint: {case}", seconds, partial(save_and_load, case=case))
    for case, seconds in (("B/16", 15), ("L/14", 40))
)
