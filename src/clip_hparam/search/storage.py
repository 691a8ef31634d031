"""Where Optuna keeps its study: a journal file on a shared folder, or a database by its URL.

The store is a cache: `study.py` rebuilds it from the records. So a journal that does not read is
set aside, and one whose last line was torn (a full disk, a kill) loses that line alone. Optuna's
own backend would write on behind the torn line, and lose all that follows.
"""

import fcntl
import json
import os
from pathlib import Path
from typing import IO, Any

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend

from clip_hparam.records.credentials import PASSWORD_PATTERN, without_password

DATABASE_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
}
"""What a database is reached through if its URL does not say: clip-hparam[databases]."""


class FlockLock:
    """A lock that the kernel gives back when its holder dies; Optuna's own would wait 30 s."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: IO[bytes] | None = None

    def acquire(self) -> bool:
        self.file = self.path.open("ab")
        fcntl.flock(self.file, fcntl.LOCK_EX)
        return True

    def release(self) -> None:
        assert self.file is not None
        self.file.close()


class CrashSafeJournal(JournalFileBackend):
    """Optuna's journal file, whole lines only."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        super().__init__(str(path), lock_obj=FlockLock(path.with_suffix(".lock")))  # type: ignore[arg-type]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """All of them or none, also on a full disk (OSError); nothing waits for the disk."""
        text = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        self._lock.acquire()
        try:
            with self.path.open("r+b") as file:
                size = _end_of_last_line(file)
                file.truncate(size)
                file.seek(size)
                try:
                    file.write(text.encode())
                    file.flush()
                except OSError:
                    os.truncate(self.path, size)
                    raise
        finally:
            self._lock.release()


def open_storage(url: str) -> BaseStorage:
    """A path is a journal file, anything with :// a database.

    Raises ValueError, without its password, for a storage that cannot be reached.
    """
    if "://" not in url:
        return _open_journal(Path(url.removeprefix("journal:")))
    kind, _, rest = url.partition("://")
    driven = DATABASE_DRIVERS.get(kind, kind)
    try:
        return RDBStorage(f"{driven}://{rest}")
    except ImportError:
        what = "pip install 'clip-hparam[databases]'" if kind in DATABASE_DRIVERS else "install one"
        reason = f"there is no driver for {kind} here: {what}"
    except Exception as error:  # SQLAlchemy's and each driver's own
        cause = error.__cause__ if isinstance(error, StorageInternalError) else error
        said = str(getattr(cause, "orig", None) or cause).strip()
        reason = said.splitlines()[0] if said else type(cause).__name__
        password = PASSWORD_PATTERN.search(url)
        if password:
            reason = reason.replace(password[2], "***")
    raise ValueError(f"hydra.sweeper.storage={without_password(url)} cannot be reached: {reason}")


def _open_journal(path: Path) -> BaseStorage:
    """What does not read is set aside; nothing is deleted."""
    try:
        for line in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
            if line.endswith(b"\n"):
                json.loads(line)
        return JournalStorage(CrashSafeJournal(path))
    except OSError as error:
        raise ValueError(
            f"hydra.sweeper.storage={path} cannot be written ({error.strerror})"
        ) from None
    except Exception as error:  # a line that is JSON and no log of Optuna's raises anything
        number = 1
        while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
            number += 1
        path.rename(aside)
        print(f"{path.name} does not read ({error}): set aside as {aside.name}, made anew")
        return JournalStorage(CrashSafeJournal(path))


def _end_of_last_line(file: IO[bytes]) -> int:
    """Bytes up to the end of the last whole line."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 4096)
        file.seek(start)
        at = file.read(end - start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0


def silence_optuna() -> None:
    """Optuna's own lines and its warnings about what is experimental are not for our users."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
