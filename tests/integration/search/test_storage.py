"""A search stored in PostgreSQL or MySQL continues there, and no file holds its password."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import optuna
import pytest
from optuna.storages import RDBStorage
from support.cli import SHORT, sweep_process
from support.databases import SECRET, mysql, postgresql

from clip_hparam.search.storage import open_storage

Database = Callable[[], AbstractContextManager[str]]


@pytest.mark.parametrize("database", [postgresql, mysql])
def test_search_in_a_database_continues_there(database: Database, tmp_path: Path) -> None:
    words = ("-m", "lr=tag(log,interval(1e-4,1e-2))", "workers=2", *SHORT)
    with database() as url:
        for points in (3, 5):
            keys = (f"hydra.sweeper.n_trials={points}", f"hydra.sweeper.storage={url}")
            done = sweep_process(*words, *keys, cwd=tmp_path)
            assert done.code == 0, done.err
            assert f"{points} points: {points} done" in done.out
            assert SECRET not in done.out + done.err
        storage = open_storage(url)
        assert isinstance(storage, RDBStorage)
        (study,) = optuna.get_all_study_names(storage)
        trials = optuna.load_study(study_name=study, storage=storage).get_trials()
        storage.remove_session()
        storage.engine.dispose()
    assert [trial.number for trial in trials] == list(range(5))
    assert all(Path(str(trial.user_attrs["folder"])).name for trial in trials)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(SECRET.encode() in path.read_bytes() for path in files)
