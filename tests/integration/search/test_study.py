"""A study shared by workers: each number is given once, no point is lost or left RUNNING."""

import json
import os
import signal
from collections import Counter
from copy import deepcopy
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import FrozenTrial, TrialState
from support import fake_search
from support.cli import wait_until

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.records.record import Record
from clip_hparam.search.methods.pruners import asha_rungs
from clip_hparam.search.objective import parse_objective
from clip_hparam.search.results import best_points, point_results
from clip_hparam.search.spec import SearchManifest
from clip_hparam.search.study import SearchStudy
from clip_hparam.search.worker import run_until_done
from clip_hparam.training.outcome import TrialOutcome

FORK = get_context("fork")


def trials(manifest: SearchManifest) -> list[FrozenTrial]:
    return SearchStudy(manifest).trials


def suggested_params(manifest: SearchManifest) -> list[dict[str, Any]]:
    return [trial.params for trial in trials(manifest)]


def journal(manifest: SearchManifest) -> Path:
    return Path(manifest.load_search().storage_url)


@pytest.fixture
def manifest(tmp_path: Path) -> SearchManifest:
    """Run a search of twelve points and return its manifest."""
    manifest = fake_search.create_search(tmp_path / "runs", n_trials=12)
    assert run_until_done(manifest, fake_search.train) == "done"
    return manifest


def test_search_ends_with_all_points_in_optuna(manifest: SearchManifest) -> None:
    states = Counter(trial.state for trial in trials(manifest))
    assert states[TrialState.COMPLETE] + states[TrialState.PRUNED] == 12
    assert states[TrialState.COMPLETE] > 0 < states[TrialState.PRUNED]
    found = point_results(manifest.load_search(), manifest.read()["cells"])
    assert [point.number for point in found] == list(range(12))
    study = SearchStudy(manifest).study
    assert best_points(found, manifest.load_search().goal)[0].number == study.best_trial.number
    assert study.best_trial.user_attrs["trial_id"] == list(
        found[study.best_trial.number].trials.values()
    )


def test_pruned_trial_has_no_epoch_after_the_decision(manifest: SearchManifest) -> None:
    for trial in trials(manifest):
        if trial.state is TrialState.PRUNED:
            (name,) = trial.user_attrs["trial_id"]
            record = Record(manifest.load_search().runs, name)
            assert len(record.rows()) == trial.last_step < fake_search.EPOCHS
            assert record.status()["state"] == "pruned"


def test_eight_workers_get_each_number_once(tmp_path: Path) -> None:
    manifest = fake_search.create_search(tmp_path / "runs", n_trials=40, sampler={"name": "random"})
    workers = [
        FORK.Process(target=run_until_done, args=(manifest, fake_search.train)) for _ in range(8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    ended = trials(manifest)
    assert [trial.number for trial in ended] == list(range(40))
    assert all(trial.state.is_finished() for trial in ended)
    cells = manifest.read()["cells"]
    assert sorted(cell["number"] for cell in cells) == list(range(40))
    assert len({json.dumps(cell["params"], sort_keys=True) for cell in cells}) == 40


@pytest.mark.parametrize("retries", [0, 1])
def test_point_of_a_killed_worker_is_taken_over(tmp_path: Path, retries: int) -> None:
    manifest = fake_search.create_search(tmp_path / "runs", n_trials=6, retries=retries)
    victim = FORK.Process(target=run_until_done, args=(manifest, train_until_killed))
    victim.start()
    victim.join(60)
    assert victim.exitcode == -signal.SIGKILL
    assert [trial.state for trial in trials(manifest)] == [TrialState.RUNNING]
    assert run_until_done(manifest, fake_search.train) == "done"
    ended = trials(manifest)
    assert len(ended) == 6
    assert all(trial.state.is_finished() for trial in ended)
    assert (ended[0].state is TrialState.FAIL) == (retries == 0)


def test_point_of_a_live_worker_is_not_taken_over(tmp_path: Path) -> None:
    manifest = fake_search.create_search(tmp_path / "runs", n_trials=3)
    holder = FORK.Process(target=run_until_done, args=(manifest, train_until_signal))
    holder.start()
    wait_until(lambda: any((tmp_path / "runs").glob("*/held")))
    assert run_until_done(manifest, fake_search.train) == "done"
    states = [trial.state.is_finished() for trial in trials(manifest)]
    os.kill(holder.pid or 0, signal.SIGKILL)
    holder.join()
    assert states == [False, True, True]
    assert SearchStudy(manifest).fail_abandoned() == 1
    assert trials(manifest)[0].state is TrialState.FAIL


def test_point_that_ends_during_the_take_over_is_not_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = SearchStudy(fake_search.create_search(tmp_path / "runs", n_trials=1))
    with study.next_point() as point:
        assert point is not None
        looks = iter([deepcopy(study.trials)])
        study.tell(point, "failed", ())
    now = SearchStudy.trials.fget
    assert now is not None
    monkeypatch.setattr(
        SearchStudy, "trials", property(lambda self: next(looks, None) or now(self))
    )
    with study.next_point() as nothing:
        assert nothing is None


@pytest.mark.parametrize("damage", ["gone", "torn", "zeros", "nonsense", "half"])
def test_storage_is_restored_from_the_records(manifest: SearchManifest, damage: str) -> None:
    before = trials(manifest)
    path = journal(manifest)
    whole = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(
            {
                "torn": whole[:-7],
                "zeros": whole[:-7] + b"\0" * 7,
                "nonsense": whole + b'{"op_code": 99}\n',
                "half": whole[: len(whole) // 2],
            }[damage]
        )
    manifest.create_or_continue(fake_search.search_spec(manifest.load_search().runs, n_trials=14))
    assert run_until_done(manifest, fake_search.train) == "done"
    after = trials(manifest)
    assert len(after) == 14
    assert [trial.params for trial in after[:12]] == [trial.params for trial in before]
    assert [trial.state for trial in after[:12]] == [trial.state for trial in before]
    assert [trial.values for trial in after[:12]] == [trial.values for trial in before]
    assert all(trial.state.is_finished() for trial in after)
    for line in path.read_text().splitlines():
        json.loads(line)


def test_continued_search_asks_the_same_points_as_uninterrupted(
    manifest: SearchManifest, tmp_path: Path
) -> None:
    interrupted = fake_search.create_search(tmp_path / "interrupted", n_trials=5)
    run_until_done(interrupted, fake_search.train)
    journal(interrupted).unlink()
    interrupted.create_or_continue(fake_search.search_spec(tmp_path / "interrupted", n_trials=12))
    run_until_done(interrupted, fake_search.train)
    assert suggested_params(interrupted) == suggested_params(manifest)


def test_first_point_is_the_base_recipe(manifest: SearchManifest) -> None:
    base = manifest.load_search().base.recipe
    first = manifest.read()["cells"][0]
    assert first["overrides"] == [
        *(f"lr={base.lr}", f"layer_decay={base.layer_decay}", "mixup=0.0", "pool=patch_mean")
    ]


def test_smaller_n_trials_asks_for_no_more_points(manifest: SearchManifest) -> None:
    manifest.create_or_continue(fake_search.search_spec(manifest.load_search().runs, n_trials=3))
    assert SearchStudy(manifest).points_left == 0
    assert run_until_done(manifest, fake_search.train) == "done"
    assert len(trials(manifest)) == 12


def test_point_on_record_is_reported_and_not_run(manifest: SearchManifest, tmp_path: Path) -> None:
    runs = manifest.load_search().runs
    done = {record.trial_id: record.folder.stat().st_mtime_ns for record in done_records(runs)}
    facts: dict[str, Any] = {"n_trials": 12, "study_name": "another", "pruner": {"name": "none"}}
    again = fake_search.create_search(runs, **facts)
    run_until_done(again, fake_search.train)
    first = trials(again)[0]
    assert first.user_attrs["trial_id"][0] in done
    assert len(first.intermediate_values) == fake_search.EPOCHS
    for name, changed in done.items():
        assert Record(runs, name).folder.stat().st_mtime_ns == changed


def test_value_of_a_point_is_the_mean_over_its_replicates(tmp_path: Path) -> None:
    manifest = fake_search.create_search(
        tmp_path / "runs", n_trials=4, seeds=(5, 9), pruner={"name": "none"}
    )
    run_until_done(manifest, fake_search.train)
    for trial, cell in zip(trials(manifest), manifest.read()["cells"], strict=True):
        assert sorted(cell["trials"]) == ["5", "9"]
        single = [
            Record(manifest.load_search().runs, name).result() for name in cell["trials"].values()
        ]
        values = [one["metrics"]["selection_acc1.raw.selected"] for one in single if one]
        assert trial.value == pytest.approx(sum(values) / 2)
        assert "seed" not in trial.params


def test_wilcoxon_prunes_by_replicates(tmp_path: Path) -> None:
    facts: dict[str, Any] = {"seeds": tuple(range(8)), "pruner": {"name": "wilcoxon"}}
    manifest = fake_search.create_search(tmp_path / "runs", n_trials=6, **facts)
    run_until_done(manifest, fake_search.train)
    pruned = [t for t in trials(manifest) if t.state is TrialState.PRUNED]
    assert pruned
    assert all(len(trial.intermediate_values) < 8 for trial in pruned)


@pytest.mark.parametrize("name", ["tpe", "gp", "cmaes", "random", "qmc", "nsgaii", "nsgaiii"])
def test_every_sampler_asks_for_new_points(tmp_path: Path, name: str) -> None:
    manifest = fake_search.create_search(
        tmp_path / "runs", n_trials=13, sampler={"name": name, "seed": 3}
    )
    run_until_done(manifest, fake_search.train)
    assert len({json.dumps(point, sort_keys=True) for point in suggested_params(manifest)}) == 13


def test_grid_asks_for_each_combination_once(tmp_path: Path) -> None:
    levels = {"pool": ("patch_mean", "cls"), "lr": ("1e-3", "3e-3", "1e-2")}
    facts: dict[str, Any] = {"levels": levels, "sampler": {"name": "grid"}}
    manifest = fake_search.create_search(tmp_path / "runs", n_trials=6, **facts)
    run_until_done(manifest, fake_search.train)
    assert len({json.dumps(point, sort_keys=True) for point in suggested_params(manifest)}) == 6


@pytest.mark.parametrize("name", ["asha", "hyperband", "median", "percentile"])
def test_every_pruner_prunes_the_worse_points(tmp_path: Path, name: str) -> None:
    manifest = fake_search.create_search(
        tmp_path / "runs", n_trials=25, sampler={"name": "random"}, pruner={"name": name}
    )
    run_until_done(manifest, fake_search.train)
    ended = trials(manifest)
    pruned = [trial for trial in ended if trial.state is TrialState.PRUNED]
    whole = [trial for trial in ended if trial.state is TrialState.COMPLETE]
    assert pruned
    assert min(max(t.intermediate_values) for t in pruned) >= 3  # warm-up is a fifth of nine epochs
    assert max(t.intermediate_values[1] for t in pruned) < max(
        t.intermediate_values[1] for t in whole
    )


@pytest.mark.parametrize(
    ("given", "epochs", "warmup", "expected"),
    [
        ({}, 90, 0.0, (10, 3)),
        ({}, 90, 0.2, (19, 3)),
        ({}, 10, 0.2, (3, 3)),
        ({}, 3, 0.5, (3, 3)),
        ({"reduction_factor": 2}, 40, 0.05, (10, 2)),
        ({"min_resource": 1}, 90, 0.2, (1, 3)),
    ],
)
def test_first_rung_is_after_one_epoch_at_the_full_rate(
    given: dict[str, int], epochs: int, warmup: float, expected: tuple[int, int]
) -> None:
    assert asha_rungs(given, epochs, warmup) == expected


def test_impossible_point_is_reported_as_pruned_and_not_run(tmp_path: Path) -> None:
    """Each level is possible alone, but head_init_scale scales a random head only."""
    levels = {"head_init": ("random", "zero_shot"), "head_init_scale": ("0.001", "0.01")}
    base = fake_search.search_spec(tmp_path / "runs").base
    base = replace(base, recipe=replace(base.recipe, pool="clip"))
    facts: dict[str, Any] = {"levels": levels, "sampler": {"name": "grid"}, "base": base}
    manifest = fake_search.create_search(tmp_path / "runs", n_trials=4, **facts)
    run_until_done(manifest, fake_search.train)
    found = point_results(manifest.load_search(), manifest.read()["cells"])
    (bad,) = (point for point in found if point.state == "impossible")
    assert bad.label == "head_init=zero_shot,head_init_scale=0.01"
    ended = trials(manifest)
    assert ended[bad.number].state is TrialState.PRUNED
    assert "applies to a random head" in ended[bad.number].user_attrs["error"]
    assert len(ended) == 4


def test_several_objectives_have_a_pareto_front(tmp_path: Path) -> None:
    both = parse_objective(["selection_acc1", "cost.peak_memory_mb"], None)
    facts: dict[str, Any] = {"goal": both, "pruner": {"name": "none"}}
    manifest = fake_search.create_search(tmp_path / "runs", n_trials=15, **facts)
    run_until_done(manifest, fake_search.train)
    study, search = SearchStudy(manifest).study, manifest.load_search()
    front = best_points(point_results(search, manifest.read()["cells"]), search.goal)
    assert {p.number for p in front} == {trial.number for trial in study.best_trials}
    assert 1 < len(front) < 15


def test_search_stops_when_the_first_points_all_fail(tmp_path: Path) -> None:
    manifest = fake_search.create_search(tmp_path / "runs", n_trials=50)
    run_until_done(manifest, lambda job, callback: TrialOutcome("failed"))
    assert len(trials(manifest)) == 3


def test_full_disk_ends_a_worker_and_no_point(tmp_path: Path) -> None:
    manifest = fake_search.create_search(tmp_path / "runs", n_trials=4)
    assert run_until_done(manifest, train_on_full_disk) == "failed"
    assert [trial.state for trial in trials(manifest)] == [TrialState.RUNNING]
    assert run_until_done(manifest, fake_search.train) == "done"
    assert all(trial.state.is_finished() for trial in trials(manifest))
    assert trials(manifest)[0].state is TrialState.COMPLETE


def test_budget_ends_a_search(tmp_path: Path) -> None:
    manifest = fake_search.create_search(tmp_path / "runs", n_trials=50, budget=100.0)
    run_until_done(manifest, fake_search.train)
    spent = [trial.user_attrs["seconds"] for trial in trials(manifest)]
    assert 70 < sum(spent) <= 100 + max(spent)
    assert SearchStudy(manifest).points_left == 0


def done_records(runs: Path) -> list[Record]:
    known = (Record(runs, path.parent.name) for path in runs.glob("*/result.json"))
    return [record for record in known if record.is_done()]


def train_until_killed(job: TrialSpec, callback: Any) -> TrialOutcome:
    callback.on_epoch_end(fake_search.rows(job.recipe, 1))
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def train_on_full_disk(job: TrialSpec, callback: Any) -> TrialOutcome:
    Record(job.machine.runs, job.trial_id).write_failure("failed", "storage", "no space left")
    return TrialOutcome("failed")


def train_until_signal(job: TrialSpec, callback: Any) -> TrialOutcome:
    callback.on_epoch_end(fake_search.rows(job.recipe, 1))
    folder = Record(job.machine.runs, job.trial_id).folder
    folder.mkdir()
    (folder / "held").touch()
    signal.pause()
    raise AssertionError
