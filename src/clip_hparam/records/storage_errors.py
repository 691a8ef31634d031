"""When it is the disk that is at fault: found before a sweep starts, and told from a trial's own.

Standard library only.
"""

import errno
import tempfile
from pathlib import Path

STORAGE_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}


def is_storage_error(error: BaseException) -> bool:
    """Whether the disk, not the trial, is at fault: full, over quota, read-only, broken."""
    return isinstance(error, OSError) and error.errno in STORAGE_ERRNOS


def storage_message(error: object) -> str:
    """The sentence that goes with exit code 3."""
    return f"storage trouble: {error}; when it is mended, the same command goes on"


def check_writable(runs: Path) -> None:
    """Raises ValueError before anything is started if records could not be written."""
    try:
        runs.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=runs):
            pass
    except OSError as error:
        raise ValueError(
            f"machine.runs={runs} cannot be written ({error.strerror}): try machine.runs=FOLDER"
        ) from None
