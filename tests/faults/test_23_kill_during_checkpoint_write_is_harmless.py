"""A process is killed while it writes a checkpoint: the last or the new checkpoint loads."""

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


def write_checkpoints(folder: Path, first: int, pipe: Any) -> None:
    """Save one checkpoint after another, and send the step of each."""
    for step in range(first, 10**9):
        checkpoint.save(folder, step, state(step))
        pipe.send(step)


def test_checkpoint_loads_after_a_kill_at_any_moment(tmp_path: Path) -> None:
    context, moments, step = multiprocessing.get_context("fork"), random.Random(0), 0
    for _ in range(25):
        reader, writer = context.Pipe(duplex=False)
        process = context.Process(target=write_checkpoints, args=(tmp_path, step + 1, writer))
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
