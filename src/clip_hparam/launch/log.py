"""Redirect the log messages of a trial and the output of its process."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class PrintHandler(logging.Handler):
    """Prints messages to sys.stdout as it is at that time, which may be redirected."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record))


@contextmanager
def log_to(*handlers: logging.Handler) -> Iterator[None]:
    """Send the log messages of this package to these handlers, from level INFO on."""
    logger = logging.getLogger("clip_hparam")
    level = logger.level
    logger.setLevel(logging.INFO)
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        logger.setLevel(level)
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()


def redirect_output(path: Path) -> None:
    """Append all further output of this process, stdout and stderr, to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
