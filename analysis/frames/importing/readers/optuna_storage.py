"""Read a study from Optuna's storage, a SQLite file or a journal file, without changing it."""

import json
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from clip_hparam.analysis.frames.importing.source import (
    Roles,
    Source,
    TrialParts,
    join_parts,
    varied,
)
from clip_hparam.config.knob import suggest

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

SQLITE_START = b"SQLite format 3\0"
JOURNAL_KEYS = {"op_code", "worker_id"}


def is_sqlite(path: Path) -> bool:
    """Return whether a file begins as a database of SQLite."""
    with path.open("rb") as file:
        return file.read(len(SQLITE_START)) == SQLITE_START


def is_journal(path: Path) -> bool:
    """Return whether the first line is an operation of Optuna's journal."""
    with path.open("rb") as file:
        line = file.readline(1 << 20)
    try:
        tree = json.loads(line)
    except ValueError:
        return False
    return isinstance(tree, dict) and tree.keys() >= JOURNAL_KEYS


def read_study(path: Path, study_name: str | None = None) -> Source:
    """Return a row per trial of a study: its parameters, values and state.

    Raises:
        ValueError: the file holds no study or another one, several while `study_name` is None, or
            its schema is of another version of Optuna.
    """
    import optuna  # lazy: optuna, 0.5 s

    with _opened(path) as storage:
        names = optuna.get_all_study_names(storage)
        if study_name is None and len(names) != 1:
            listed = f"{len(names)} studies: name one with --study:" if names else "no study"
            raise ValueError(f"it holds {listed} {', '.join(sorted(names))}".rstrip())
        name = names[0] if study_name is None else study_name
        if name not in names:
            raise ValueError(f"it holds no study {name}: {suggest(name, names)}")
        study_id = storage.get_study_id_from_name(name)
        trials = storage.get_all_trials(study_id)
        minimize = [d.name == "MINIMIZE" for d in storage.get_study_directions(study_id)]
        labels = storage.get_study_system_attrs(study_id).get("study:metric_names")
    values = _value_names(len(minimize), labels)
    if not trials:
        raise ValueError(f"study {name} has no trial")
    rows, knobs, values = join_parts([_parts(trial, values) for trial in trials])
    one = len(values) == 1
    directions = list(zip(values, minimize, strict=True))
    roles = Roles(
        varied(rows, knobs),
        values,
        values[0] if one else "",
        name="number",
        state="state",
        minimized=tuple(value for value, low in directions if low),
        maximized=tuple(value for value, low in directions if not low),
    )
    notes = [f"study {name}"]
    if not one:
        notes += [f"{value} is {'min' if low else 'max'}imized" for value, low in directions]
    return Source("optuna", rows, roles, tuple(notes))


def _parts(trial: Any, values: tuple[str, ...]) -> TrialParts:
    """Return the parts of a trial. A pruned trial has its last reported value: it is left out."""
    results = trial.values or [None] * len(values)
    head = {"number": str(trial.number), "state": trial.state.name}
    return TrialParts(head, trial.params, dict(zip(values, results, strict=True)))


def _value_names(count: int, labels: Any) -> tuple[str, ...]:
    if labels:
        return tuple(map(str, labels))
    return ("value",) if count == 1 else tuple(f"values_{n}" for n in range(count))


@contextmanager
def _opened(path: Path) -> Iterator["BaseStorage"]:
    """Open the storage: SQLite read-only, a copy of a journal, since Optuna locks the file."""
    from optuna.exceptions import ExperimentalWarning
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore", ExperimentalWarning)
        if is_sqlite(path):
            quoted = quote(quote(str(path.resolve())))  # SQLAlchemy and SQLite each decode once
            url = f"sqlite:///file:{quoted}?mode=ro&uri=true"
            with _one_sentence():
                database = RDBStorage(url, skip_table_creation=True)
                try:
                    yield database
                finally:
                    database.remove_session()
                    database.engine.dispose()
        else:
            copy = Path(folder) / "journal"
            shutil.copyfile(path, copy)
            with _one_sentence():
                yield JournalStorage(JournalFileBackend(str(copy)))


@contextmanager
def _one_sentence() -> Iterator[None]:
    """Raise ValueError with one line for an error of Optuna or of its database."""
    try:
        yield
    except ValueError:
        raise
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ValueError(f"Optuna cannot read it: {reason.rstrip('.')}") from None
