"""Save the state of a trial by time, in a thread, while training continues.

Only rank 0 saves. No thread starts before the first save; at most one write runs at a time.
"""

import logging
import math
import threading
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any

from clip_hparam.training.callbacks.base import TrialCallback
from clip_hparam.training.checkpoints import checkpoint
from clip_hparam.training.checkpoints.content import Content, checkpoint_content
from clip_hparam.training.checkpoints.progress import Progress
from clip_hparam.training.checkpoints.snapshot import Snapshot
from clip_hparam.training.checkpoints.state_file import CancelledError
from clip_hparam.training.train_state import TrainState

MEMORY_OF_WEIGHTS = 2  # host memory of a save, in sizes of the weights
logger = logging.getLogger(__name__)


class CheckpointWriter(TrialCallback):
    """Saves the state at the first step boundary after `seconds` since the last save began.

    As a context manager it ends its thread: a trial that is done needs no state, an interrupted one
    stops at once, and after every other error the state that is being written is kept.
    """

    def __init__(
        self, folder: Path, seconds: float, state: TrainState, progress: Progress, epoch_steps: int
    ) -> None:
        self._folder, self._seconds = folder, seconds
        self._state, self._progress, self._epoch_steps = state, progress, epoch_steps
        self._last = monotonic()
        self._thread: threading.Thread | None = None
        self._snapshot: Snapshot | None = None
        self._is_cancelled = threading.Event()
        self._error: BaseException | None = None
        state.optimizer.register_step_pre_hook(lambda *_: self.release())

    def on_step(self, step: int, total_steps: int) -> None:
        self.save_if_due()

    def should_stop(self) -> bool:
        self.save_if_due()  # also between two batches of an evaluation
        return False

    def on_epoch_end(self, rows: list[dict[str, Any]]) -> bool:
        self.save_if_due()
        return False

    def save_if_due(self) -> None:
        """Begin to save, if it is time and no write is running.

        Raises: the error of the last write, as an OSError.
        """
        if self._thread is not None and not self._thread.is_alive():
            self._end_thread()
        if self._thread is None and monotonic() - self._last >= self._seconds:
            self._last = monotonic()
            content = checkpoint_content(self._state, self._progress)
            self._snapshot = _snapshot(content)
            self._is_cancelled.clear()
            task = (self._step(), content, self._snapshot)
            self._thread = threading.Thread(target=self._write, args=task, daemon=True)
            self._thread.start()

    def save_now(self) -> None:
        """Save before returning; a write that is running ends without a file."""
        self._is_cancelled.set()
        self._end_thread()
        content = checkpoint_content(self._state, self._progress)
        checkpoint.save(self._folder, self._step(), content, _snapshot(content))

    def end_training(self) -> None:
        """Return when the weights may change; from now on only `save_now` saves."""
        self._seconds = math.inf
        self.release()

    def release(self) -> None:
        """Return when the state may change."""
        if self._snapshot is not None:
            self._snapshot.release()
            self._snapshot = None

    def __enter__(self) -> "CheckpointWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None or isinstance(error, KeyboardInterrupt):
            self._is_cancelled.set()
        try:
            self._end_thread()
        except OSError as failure:
            if error is None:
                raise
            logger.warning("the state was not saved: %s", failure)

    def _step(self) -> int:
        return len(self._progress.rows) * self._epoch_steps + len(self._progress.losses)

    def _write(self, step: int, content: Content, snapshot: Snapshot) -> None:
        try:
            checkpoint.save(self._folder, step, content, snapshot, self._is_cancelled.is_set)
        except CancelledError:
            pass
        except BaseException as error:
            self._error = error
        finally:
            snapshot.drop()

    def _end_thread(self) -> None:
        """Wait for the thread, and raise the error of its write."""
        if self._thread is not None:
            self._thread.join()
            self._thread = self._snapshot = None
        error, self._error = self._error, None
        if error is not None:
            raise error


def _snapshot(content: Content) -> Snapshot:
    changing, constant = (
        [part.flat for part in parts] for parts in (content.changing, content.constant)
    )
    return Snapshot(changing, constant, MEMORY_OF_WEIGHTS * content.bytes_of_weights)
