"""Detect storage failures (disk full, quota, read-only, I/O error), not errors of a trial."""

import errno
import tempfile
from pathlib import Path

STORAGE_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}


def is_storage_error(error: BaseException) -> bool:
    """Return whether an exception is a failure of the storage and not of the trial."""
    return isinstance(error, OSError) and error.errno in STORAGE_ERRNOS


def storage_message(error: object) -> str:
    """Return the message that is printed with exit code 3."""
    return f"storage error: {error}; fix it, and run the same command again"


def check_writable(runs: Path) -> None:
    """Raise ValueError if records cannot be written to a runs folder, which is created."""
    try:
        runs.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=runs):
            pass
    except OSError as error:
        raise ValueError(
            f"machine.runs={runs} cannot be written ({error.strerror}): try machine.runs=FOLDER"
        ) from None
