"""Follow a trial with a tracker in a thread of its own: no tracker delays or ends the trial."""

import logging
from collections.abc import Mapping
from queue import SimpleQueue
from threading import Thread
from typing import Any

from clip_hparam.records.credentials import without_password
from clip_hparam.records.paths import command_line
from clip_hparam.records.record import Record
from clip_hparam.records.state import TrialState
from clip_hparam.training.callbacks.base import TrialCallback
from clip_hparam.training.callbacks.trackers.sender import RunSender

logger = logging.getLogger(__name__)
END_SECONDS = 10.0  # longest wait at the end of a trial for numbers that are on their way


class TrackerCallback(TrialCallback):
    """Hands the rows of a trial to a thread that sends them to one tracker.

    The thread starts with the first optimizer step: the processes that read images are forked
    before it. After an error of the tracker it sends nothing more and logs one warning.
    """

    def __init__(self, name: str, record: Record) -> None:
        self._name, self._record = name, record
        self._queue: SimpleQueue[Any] = SimpleQueue()
        self._thread: Thread | None = None
        self._is_silent = False

    def on_step(self, step: int, total_steps: int) -> None:
        if self._thread is None:
            self._start()

    def on_epoch_end(self, rows: list[dict[str, Any]]) -> bool:
        self._start()
        self._queue.put(list(rows))
        return False

    def on_end(self, state: TrialState, result: Mapping[str, Any] | None) -> None:
        thread = self._start()
        self._queue.put((state, result))
        thread.join(END_SECONDS)
        if thread.is_alive():
            self._warn(f"did not answer within {END_SECONDS:.0f} s")

    def _start(self) -> Thread:
        if self._thread is None:
            self._thread = Thread(target=self._send_all, name=f"tracker {self._name}", daemon=True)
            self._thread.start()
        return self._thread

    def _send_all(self) -> None:
        try:
            sender = RunSender(self._name, self._record)
            while isinstance(rows := self._queue.get(), list):
                sender.send_rows(rows)
            sender.close(*rows)
        except (Exception, SystemExit) as error:  # a tracker may raise anything
            self._warn(describe_error(error))

    def _warn(self, reason: str) -> None:
        if self._is_silent:
            return
        self._is_silent = True
        runs, trial = self._record.folder.parent, self._record.trial_id
        later = command_line("sync", self._name, trial, runs=runs)
        logger.warning(
            "tracker=%s: %s; the trial continues, and %s sends what is missing",
            *(self._name, reason, later),
        )


def describe_error(error: BaseException) -> str:
    """Return an error of a tracker in one line without a password."""
    text = " ".join(str(error).split()) or "no message"
    return without_password(f"{type(error).__name__}: {text}")
