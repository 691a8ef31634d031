"""`clip-hparam storage` prints a storage that Optuna opens, with metric names and typed values."""

import json
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from support import fake_search
from support.cli import Done, clip_hparam

from clip_hparam.records.manifests.manifest import read_manifests
from clip_hparam.search.objective import parse_objective
from clip_hparam.search.study import SearchStudy
from clip_hparam.search.worker import run_until_done

Ask = Callable[..., Done]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run two searches of three points in one runs folder."""
    folder = tmp_path_factory.mktemp("two searches")
    goals = {"first": ["selection_acc1"], "second": ["selection_acc1", "cost.peak_memory_mb"]}
    for name, objectives in goals.items():
        manifest = fake_search.create_search(
            folder / "runs", name=name, n_trials=3, pruner={"name": "none"},
            goal=parse_objective(objectives, None),
        )  # fmt: skip
        assert run_until_done(manifest, fake_search.train) == "done"
    return folder


def studies(journal: str) -> dict[str, optuna.Study]:
    """Open a journal as Optuna's tools do, without our code."""
    storage = JournalStorage(JournalFileBackend(journal))
    names = optuna.get_all_study_names(storage)
    return {name: optuna.load_study(study_name=name, storage=storage) for name in names}


@pytest.mark.parametrize(
    ("name", "metrics"),
    [("first", ["selection_acc1"]), ("second", ["selection_acc1", "cost.peak_memory_mb"])],
)
def test_each_of_several_searches_is_opened_by_its_name(
    folder: Path, name: str, metrics: list[str]
) -> None:
    done = clip_hparam("storage", name, cwd=folder)
    assert (done.code, done.err) == (0, "")
    (study,) = studies(done.out.strip()).values()
    assert study.study_name.startswith(f"{name}-")
    assert study.metric_names == metrics
    (sweep,) = [one for one in read_manifests(folder / "runs") if one.name == name]
    for trial, cell in zip(study.get_trials(), sweep.cells, strict=True):
        assert trial.user_attrs["typed"] == cell.label
        assert trial.user_attrs["trial_id"] == list(cell.trials.values())
        assert trial.user_attrs["folder"] == [f"runs/{id}" for id in cell.trials.values()]


def test_without_a_name_the_newest_is_printed_and_the_others_are_named(folder: Path) -> None:
    done = clip_hparam("storage", cwd=folder)
    facts = json.loads(clip_hparam("storage", "--json", cwd=folder).out)
    assert done.out.strip() == facts["storage"]
    newest = read_manifests(folder / "runs")[-1]
    assert facts["search"] == newest.sweep_id
    assert f"of {newest.name}, the newest; others: " in done.err


def test_merged_file_holds_all_studies_with_their_trials(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "all.journal"
    done = clip_hparam("storage", "--merge", file, cwd=folder)
    assert (done.code, done.out.strip()) == (0, str(file)), done.err
    merged = studies(str(file))
    assert sorted(name.partition("-")[0] for name in merged) == ["first", "second"]
    for name, study in merged.items():
        journal = clip_hparam("storage", name.partition("-")[0], cwd=folder).out.strip()
        (alone,) = studies(journal).values()
        assert study.metric_names == alone.metric_names
        assert [t.params for t in study.trials] == [t.params for t in alone.trials]
        assert [t.values for t in study.trials] == [t.values for t in alone.trials]
    again = clip_hparam("storage", "--merge", file, cwd=folder)
    assert again.code == 2
    assert "is there already: name another file" in again.err


def test_study_of_an_earlier_version_gets_its_metric_names(folder: Path, tmp_path: Path) -> None:
    manifest = fake_search.create_search(tmp_path / "runs", n_trials=1)
    search = manifest.load_search()
    storage = JournalStorage(JournalFileBackend(str(_made(search.folder) / "study.journal")))
    old = optuna.create_study(
        study_name=search.optuna_study_name, storage=storage, direction="maximize"
    )
    old.set_user_attr("sweep_id", search.id)
    assert old.metric_names is None
    assert SearchStudy(manifest).study.metric_names == ["selection_acc1"]


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize(
    ("url", "printed"),
    [
        ("postgresql://me:***@host/db", "postgresql+psycopg://me:***@host/db"),
        ("mysql://host/db?password=***", "mysql+pymysql://host/db?password=***"),
        ("sqlite:///study.db", "sqlite:///study.db"),
    ],
)
def test_url_of_a_database_has_its_driver_and_no_password(
    url: str, printed: str, tmp_path: Path
) -> None:
    fake_search.create_search(tmp_path / "runs", storage=url)
    done = clip_hparam("storage", cwd=tmp_path)
    assert (done.code, done.out.strip()) == (0, printed)
    assert done.err.strip() == ("*** stands for the password" if "***" in url else "")


def test_runs_without_a_search_are_refused(tmp_path: Path) -> None:
    done = clip_hparam("storage", cwd=tmp_path)
    assert done.code == 2
    assert "no search is on record: " in done.err
    assert "sweeps=search starts one" in done.err
    fake_search.create_search(tmp_path / "runs")
    empty = clip_hparam("storage", "--merge", "all.journal", cwd=tmp_path)
    assert (empty.code, empty.out.strip()) == (2, "no search has a storage yet")
    assert not (tmp_path / "all.journal").exists()
