"""Storages of Optuna: both kinds, states, levels, several objectives and several studies."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState, create_trial

from clip_hparam.analysis.frames.importing.formats import read_source
from clip_hparam.analysis.frames.importing.roles import complete_roles
from clip_hparam.analysis.frames.importing.source import Roles

SPACE = {
    "lr": optuna.distributions.FloatDistribution(1e-5, 1.0, log=True),
    "aug": optuna.distributions.CategoricalDistribution(["None", None, "weak"]),
    "warmup": optuna.distributions.IntDistribution(0, 5),
}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(level)


def storage(path: Path, kind: str) -> BaseStorage:
    if kind == "sqlite":
        return RDBStorage(f"sqlite:///{path}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return JournalStorage(JournalFileBackend(str(path)))


def add_trials(study: optuna.Study, states: list[TrialState], **values: Any) -> None:
    for number, state in enumerate(states):
        params = {"lr": (10 + number) / 100, "aug": ["None", None, "weak"][number % 3], "warmup": 2}
        complete = values or {"value": float(number)}
        done = complete if state in (TrialState.COMPLETE, TrialState.PRUNED) else {}
        trial = create_trial(state=state, params=params, distributions=SPACE, **done)
        study.add_trial(trial)


@pytest.mark.parametrize("kind", ["sqlite", "journal"])
def test_a_study_is_read_and_its_file_is_not_changed(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a #1 %.store"
    study = optuna.create_study(storage=storage(path, kind), direction="maximize")
    add_trials(study, [TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL, TrialState.RUNNING])
    before = path.read_bytes()
    source = read_source(path)
    assert path.read_bytes() == before
    assert list(source.rows["state"]) == ["COMPLETE", "PRUNED", "FAIL", "RUNNING"]
    assert list(source.rows["aug"][:3]) == ["None", None, "weak"]
    assert list(source.rows["lr"]) == ["0.1", "0.11", "0.12", "0.13"]
    assert source.rows["value"][0] == "0.0"
    assert source.roles.knobs == ("lr", "aug")  # warmup does not vary
    assert (source.roles.objective, source.roles.maximized) == ("value", ("value",))


def test_several_objectives_have_their_names_and_directions(tmp_path: Path) -> None:
    study = optuna.create_study(
        storage=storage(tmp_path / "s.db", "sqlite"), directions=["maximize", "minimize"]
    )
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        study.set_metric_names(["acc", "seconds"])
    add_trials(study, [TrialState.COMPLETE], values=[0.5, 10.0])
    source = read_source(tmp_path / "s.db")
    assert (source.roles.metrics, source.roles.objective) == (("acc", "seconds"), "")
    assert source.notes[1:] == ("acc is maximized", "seconds is minimized")
    assert [
        complete_roles(source, Roles(objective=name)).minimize for name in ("acc", "seconds")
    ] == [*(False, True)]


def test_a_study_is_chosen_by_name(tmp_path: Path) -> None:
    for name in ("one", "two"):
        study = optuna.create_study(study_name=name, storage=storage(tmp_path / "s.db", "sqlite"))
        add_trials(study, [TrialState.COMPLETE] * (1 + (name == "two")))
    assert len(read_source(tmp_path / "s.db", study="two").rows) == 2
    with pytest.raises(ValueError, match=r"2 studies: name one with --study: one, two"):
        read_source(tmp_path / "s.db")
    with pytest.raises(ValueError, match=r"no study three: "):
        read_source(tmp_path / "s.db", study="three")


def test_another_database_is_refused_in_a_sentence(tmp_path: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(tmp_path / "s.db")
    connection.execute("create table t (x)")
    connection.commit()
    connection.close()
    with pytest.raises(ValueError, match="cannot be read as optuna") as error:
        read_source(tmp_path / "s.db")
    assert "\n" not in str(error.value)


def test_the_frame_of_a_study_is_recognised_as_csv(tmp_path: Path) -> None:
    study = optuna.create_study()
    add_trials(study, [TrialState.COMPLETE, TrialState.PRUNED])
    study.trials_dataframe().to_csv(tmp_path / "t.csv")
    source = read_source(tmp_path / "t.csv")
    assert source.format == "optuna-csv"
    assert source.roles.knobs == ("params_aug", "params_lr")
    assert (source.roles.name, source.roles.state) == ("number", "state")
