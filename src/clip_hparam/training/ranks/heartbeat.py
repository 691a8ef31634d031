"""A thread of each rank that tells the others that its process runs, and how far it has come.

The main thread of a rank cannot tell: on a GPU it waits inside CUDA for a rank that is lost.
"""

import logging
import os
import threading
import time
from contextlib import suppress
from typing import NamedTuple

from clip_hparam.distributed import DistributedContext, name_key

BEAT_SECONDS = 0.5
SILENT_SECONDS = 5.0  # without a beat, after which a process counts as killed or stopped
EXIT_SECONDS = 60.0  # after the timeout of a rank, in which the main thread may still end the trial
LOST_EXIT_CODE = 1
logger = logging.getLogger(__name__)


class Beat(NamedTuple):
    """The last value that a rank wrote, and when it was first read here (time.monotonic)."""

    value: str
    since: float


class Heartbeat:
    """Writes the beats of this rank to the store, and reads those of the others.

    seconds: time after which a silent rank is given up. If the main thread has not ended the trial
    EXIT_SECONDS later, the process exits, so that a trial never waits for ever.
    """

    def __init__(self, context: DistributedContext, seconds: float) -> None:
        assert context.store is not None
        self._context = context
        self._store = context.store.clone()  # a client of its own: calls of one client queue up
        self._seconds = seconds
        self._stopped = threading.Event()
        now = time.monotonic()
        others = (rank for rank in range(context.world_size) if rank != context.rank)
        self._beats = {rank: Beat("", now) for rank in others}
        self._thread = threading.Thread(target=self._run, daemon=True, name="heartbeat")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(SILENT_SECONDS)

    def silent_seconds(self, rank: int) -> float:
        """Return for how long another rank has written no beat."""
        return time.monotonic() - self._beats[rank].since

    def collectives(self, rank: int) -> int:
        """Return how many collective operations another rank had begun at its last beat."""
        return int(self._beats[rank].value.partition(" ")[2] or 0)

    def _run(self) -> None:
        number = 0
        while not self._stopped.wait(BEAT_SECONDS):
            number += 1
            with suppress(RuntimeError):  # rank 0, which holds the store, is lost
                own = f"{number} {self._context.activity.collectives}"
                self._store.set(_beat_key(self._context.rank), own)
                self._read_beats()
            self._exit_if_abandoned()

    def _read_beats(self) -> None:
        """Read the beats of all ranks in rank 0, and that of rank 0 in the others."""
        ranks = self._beats if self._context.is_main else (0,)
        for rank in ranks:
            key = _beat_key(rank)
            value = str(self._store.get(key), "utf-8") if self._store.check([key]) else ""
            if value != self._beats[rank].value:
                self._beats[rank] = Beat(value, time.monotonic())

    def _exit_if_abandoned(self) -> None:
        """End this process if a rank is lost and the main thread has not noticed in time."""
        ranks = self._beats if self._context.is_main else (0,)
        limit = self._seconds + EXIT_SECONDS
        lost = [rank for rank in ranks if self.silent_seconds(rank) > limit]
        if lost and not self._stopped.is_set():
            logger.error(
                "%s has been silent for %.0f s, and this process still waits for it: it exits",
                " and ".join(f"rank {rank}" for rank in lost),
                limit,
            )
            os._exit(LOST_EXIT_CODE)


def _beat_key(rank: int) -> str:
    return f"beat of {name_key(rank)}"
