"""Measure which share of the training time a trial waits for its images."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

MAX_SHARE = 0.05  # above it the log says what to change
MIN_SECONDS = 10.0  # waits that sum to less, as at the start of the workers, do not matter
logger = logging.getLogger(__name__)


class WaitClock:
    """Seconds in which this process read images, or waited for the processes that read them.

    advice: what to change if they are many.
    """

    def __init__(self, advice: str) -> None:
        self.advice = advice
        self.seconds = 0.0
        self._has_warned = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Add the time of the `with` block."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds += time.monotonic() - started

    def share_since(self, start: float, total: float) -> float:
        """Return the share that the seconds after `start` are of `total`, from 0 to 1.

        The first time that it exceeds MAX_SHARE and MIN_SECONDS, the log says what to change.
        """
        waited = self.seconds - start
        share = min(max(waited / max(total, 1e-9), 0.0), 1.0)
        if share > MAX_SHARE and waited > MIN_SECONDS and not self._has_warned:
            self._has_warned = True
            logger.warning(
                "%.0f %% of the training time is spent waiting for images: %s",
                100 * share,
                self.advice,
            )
        return share


def advice(workers: int, in_memory: bool) -> str:
    """Return what to change where a trial waits for its images."""
    if in_memory:
        return "try more machine.threads, or a smaller resolution"
    more = f"try machine.loader_workers={2 * workers or 1} on more CPU cores"
    return f"{more}, images that are stored smaller, or a faster disk for data.root"
