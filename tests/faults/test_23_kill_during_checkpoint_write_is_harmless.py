"""Killed at any moment of a write: the state saved last, or the one being saved, loads whole."""

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import torch

from clip_hparam.training import checkpoint


def state(step: int) -> dict[str, Any]:
    return {"step": step, "weights": torch.full((200,), float(step)), "rows": [{"lr": 0.1}]}


def write_for_ever(folder: Path, first: int, told: Any) -> None:
    """Save state after state, and tell each step that is saved."""
    for step in range(first, 10**9):
        checkpoint.save(folder, step, state(step))
        told.send(step)


def test_killed_at_any_moment_of_a_write_loop_the_last_saved_state_loads(tmp_path: Path) -> None:
    context, moments, step = multiprocessing.get_context("fork"), random.Random(0), 0
    for _ in range(25):
        reader, writer = context.Pipe(duplex=False)
        process = context.Process(target=write_for_ever, args=(tmp_path, step + 1, writer))
        process.start()
        writer.close()
        reader.recv()
        time.sleep(moments.uniform(0, 0.02))
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        saved = step + 1
        while reader.poll():
            try:
                saved = reader.recv()
            except EOFError:
                break
        loaded, _ = checkpoint.load(tmp_path)
        assert loaded is not None
        assert loaded["step"] in (saved, saved + 1)
        assert torch.equal(loaded["weights"], state(loaded["step"])["weights"])
        step = loaded["step"]
