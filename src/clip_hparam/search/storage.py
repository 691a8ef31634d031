"""Optuna storage of a search: a journal file in a shared folder, or a database URL.

The storage is a cache: `study.py` restores missing points from the records. An unreadable journal
is therefore renamed and replaced. If its last line was cut off (full disk, killed process), only
that line is lost. Optuna's own backend would append to the broken line and lose all later lines.
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
from optuna.study import StudyDirection

from clip_hparam.records.atomic import quarantine
from clip_hparam.records.credentials import PASSWORD_PATTERN, with_password, without_password
from clip_hparam.search.methods.optuna_options import suppress_experimental_warnings
from clip_hparam.search.spec import SearchSpec

DATABASE_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
}
"""Default SQLAlchemy driver by database, where the URL names none; in clip-hparam[databases]."""


class FlockLock:
    """File lock that the kernel releases when its holder exits; Optuna's own would wait 30 s."""

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
    """Journal file of Optuna that is cut back to whole lines before each write."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        super().__init__(str(path), lock_obj=FlockLock(path.with_suffix(".lock")))  # type: ignore[arg-type]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append all log lines or none, also on a full disk; does not sync to disk.

        Raises:
            OSError: the disk is full or broken.
        """
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


def open_study(search: SearchSpec) -> optuna.Study:
    """Open the Optuna study of a search, or create it.

    Raises:
        ValueError: the storage cannot be reached, or has a study of the same name that belongs to
            another search.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # users do not call Optuna themselves
    name = search.optuna_study_name
    study = optuna.create_study(
        study_name=name,
        storage=open_storage(with_password(search.storage_url)),
        directions=[StudyDirection[name.upper()] for name in search.goal.directions],
        load_if_exists=True,
    )
    owner = study.user_attrs.get("sweep_id")
    if owner is None and not study.get_trials(deepcopy=False):
        study.set_user_attr("sweep_id", search.id)
    elif owner != search.id:
        raise ValueError(
            f"hydra.sweeper.study_name={name} in {search.storage_url} belongs to another"
            " search: its"
            " space, base, seeds or objective differ; choose another name"
        )
    if study.metric_names is None:
        with suppress_experimental_warnings():
            study.set_metric_names(list(search.goal.objectives))
    return study


def open_storage(url: str) -> BaseStorage:
    """Open a storage: a database if the URL contains ://, else a journal file at that path.

    Raises:
        ValueError: the storage cannot be reached; the message does not contain the password.
    """
    if "://" not in url:
        return _open_journal(Path(url.removeprefix("journal:")))
    kind, _, _ = url.partition("://")
    try:
        return RDBStorage(with_driver(url))
    except ImportError:
        hint = "pip install 'clip-hparam[databases]'" if kind in DATABASE_DRIVERS else "install one"
        reason = f"there is no driver for {kind} here: {hint}"
    except Exception as error:  # exceptions of SQLAlchemy and of each driver have no common base
        cause = error.__cause__ if isinstance(error, StorageInternalError) else error
        message = str(getattr(cause, "orig", None) or cause).strip()
        reason = message.splitlines()[0] if message else type(cause).__name__
        password = PASSWORD_PATTERN.search(url)
        if password:
            reason = reason.replace(password[2], "***")
    raise ValueError(f"hydra.sweeper.storage={without_password(url)} cannot be reached: {reason}")


def with_driver(url: str) -> str:
    """Return a storage URL with the driver that we install for its database, as Optuna takes it."""
    kind, separator, rest = url.partition("://")
    return f"{DATABASE_DRIVERS.get(kind, kind)}{separator}{rest}"


def _open_journal(path: Path) -> BaseStorage:
    """Open a journal file; rename an unreadable one to <name>.damaged-<n> and start a new one."""
    try:
        for line in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
            if line.endswith(b"\n"):
                json.loads(line)
        return JournalStorage(CrashSafeJournal(path))
    except OSError as error:
        raise ValueError(
            f"hydra.sweeper.storage={path} cannot be written ({error.strerror})"
        ) from None
    except Exception as error:  # Optuna raises any type for a line that is JSON but no log
        damaged = quarantine(path)
        print(
            f"{path.name} is not readable ({error}): renamed to {damaged.name}, a new one is made"
        )
        return JournalStorage(CrashSafeJournal(path))


def _end_of_last_line(file: IO[bytes]) -> int:
    """Return the offset behind the last newline, in bytes; 0 if there is none."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 4096)
        file.seek(start)
        at = file.read(end - start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0
