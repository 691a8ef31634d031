"""A process is killed while it writes a checkpoint: the last or the new checkpoint loads."""

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

from support.checkpoints import save, step_of

from clip_hparam.training.checkpoints import checkpoint


def write_checkpoints(folder: Path, first: int, pipe: Any) -> None:
    """Save one checkpoint after another, and send the step of each."""
    for step in range(first, 10**9):
        save(folder, step)
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
        step = step_of(loaded)
        assert step in (saved, saved + 1)
