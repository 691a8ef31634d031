"""Name a worker process of torch's DataLoader that a signal ended, and what to type next."""

import re
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from clip_hparam.subprocesses import signal_cause

KILLED = re.compile(r"DataLoader worker \(pid \d+\) is killed by signal: (.+?)\. ")
"""Message of torch, which a handler of SIGCHLD raises in the main thread, at any line."""


class LostWorkerError(RuntimeError):
    """A process that reads images was killed."""


@contextmanager
def name_lost_worker() -> Iterator[None]:
    """Raise LostWorkerError in place of DataLoader's error about a worker that was killed."""
    try:
        yield
    except RuntimeError as error:
        if (match := KILLED.search(str(error))) is None:
            raise
        numbers = {signal.strsignal(number): int(number) for number in signal.valid_signals()}
        raise lost_worker_error(numbers.get(match[1])) from error


def lost_worker(exit_codes: Iterable[int | None]) -> LostWorkerError | None:
    """Return the error about the first worker that a signal ended; None if there is none."""
    signals = [-code for code in exit_codes if code is not None and code < 0]
    return lost_worker_error(signals[0]) if signals else None


def lost_worker_error(number: int | None) -> LostWorkerError:
    """Return the error about a worker that a signal ended; None for an unknown signal."""
    cause = "a signal" if number is None else signal_cause(number)
    return LostWorkerError(
        f"a process that reads images ended by {cause}: type machine.loader_workers=1, or 0 to read"
        " them in the process of the trial"
    )
