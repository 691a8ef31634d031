"""A trial ends in one sealed record, the same one however often it was stopped on the way."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.lock import FolderLockedError, lock_folder
from clip_hparam.records.record import Record
from clip_hparam.training.trial import run_trial

EPOCHS, STEPS = 3, 4  # an epoch
EVERYTHING = {  # that draws a random number or keeps a state
    "epochs": EPOCHS,
    "data.epoch_images": 50 * STEPS,
    "data.selection": 5.0,
    "lr": 3e-3,
    "layer_decay": 0.7,
    "ema_decay": 0.8,
    "drop_path": 0.2,
    "clip_grad": 1.0,
    "mixup": 0.8,
    "cutmix": 1.0,
    "random_erasing": 0.25,
    "color_jitter": 0.4,
}
KILLED_AT = (1, 6, 8)  # before the first checkpoint, in mid-epoch, and at an epoch's end

# one process imports torch; a child of it runs the trial and kills itself after a step
KILLER = """
import json, os, signal, sys
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.training.callbacks.base import quiet
from clip_hparam.training.trial import run_trial
for tree, last in json.loads(sys.argv[1]):
    child = os.fork()
    if not child:
        def tick(step, steps):
            if step == last:
                os.kill(os.getpid(), signal.SIGKILL)
        run_trial(TrialSpec.from_dict(tree), quiet, tick)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def job(runs: Path, **knobs: Any) -> TrialSpec:
    recipe = resolve(with_values(Recipe(), {**EVERYTHING, **knobs}))
    machine = Machine(runs=str(runs), device="cpu", checkpoint_seconds=0)
    return TrialSpec(recipe, machine, keep_checkpoints="last")


def short(runs: Path, **knobs: Any) -> TrialSpec:
    return job(runs, **{"epochs": 1, "data.epoch_images": 50, "warmup": 0.0, **knobs})


def record_of(one: TrialSpec) -> Record:
    return Record(one.machine.runs, one.trial_id)


def outcome(one: TrialSpec) -> dict[str, Any]:
    """All of a record that is not about time, host or attempt."""
    record = record_of(one)
    result = record.result()
    assert result is not None
    rows = [
        {name: value for name, value in row.items() if name not in ("seconds", "img_per_s")}
        for row in record.rows()
    ]
    files = {
        name: (record.folder / name).read_bytes() for name in ("last.safetensors", "correct.npz")
    }
    return {"rows": rows, "metrics": result["metrics"], "epochs": result["epochs"], **files}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> TrialSpec:
    """A trial that nothing interrupted."""
    one = job(tmp_path_factory.mktemp("whole"))
    assert run_trial(one) == "done"
    return one


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[int, TrialSpec]:
    """The same trial, killed after a step, by that step."""
    jobs = {step: job(tmp_path_factory.mktemp(f"killed_{step}")) for step in KILLED_AT}
    orders = json.dumps([(one.to_dict(), step) for step, one in jobs.items()])
    done = subprocess.run(
        [sys.executable, "-c", KILLER, orders], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(-signal.SIGKILL)] * len(jobs)
    return jobs


@pytest.mark.parametrize("step", KILLED_AT)
def test_a_trial_that_was_killed_after_any_step_ends_in_the_same_bits(
    step: int, killed: dict[int, TrialSpec], whole: TrialSpec
) -> None:
    one, said = killed[step], []
    assert record_of(one).result() is None
    assert run_trial(one, said.append) == "done"
    finished = (step - 1) // STEPS
    assert (f"going on after epoch {finished}" in said) == (finished > 0)
    assert outcome(one) == outcome(whole)
    assert record_of(one).status()["attempt"] == 2
    assert not (record_of(one).folder / "checkpoint").exists()


@pytest.mark.parametrize("step", [STEPS, STEPS + 2, EPOCHS * STEPS])
def test_a_trial_that_is_asked_to_stop_goes_on_from_that_step_in_the_same_bits(
    step: int, tmp_path: Path, whole: TrialSpec
) -> None:
    one, ran = job(tmp_path), list[int]()
    again: list[int] = []
    state = run_trial(one, tick=lambda now, steps: ran.append(now), stop=lambda: len(ran) == step)
    assert (state, record_of(one).status()["state"]) == ("queued", "queued")
    assert run_trial(one, tick=lambda now, steps: again.append(now)) == "done"
    assert ran + again == list(range(1, EPOCHS * STEPS + 1))
    assert outcome(one) == outcome(whole)


def test_a_damaged_checkpoint_costs_an_epoch_and_changes_no_bit(
    tmp_path: Path, whole: TrialSpec
) -> None:
    one, said = job(tmp_path), []

    def stop(step: int, steps: int) -> None:
        if step == 2 * STEPS + 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_trial(one, tick=stop)
    assert record_of(one).status()["state"] == "cancelled"
    newest = max((record_of(one).folder / "checkpoint").glob("*.pt"))
    newest.write_bytes(newest.read_bytes()[:-1])
    assert run_trial(one, said.append) == "done"
    assert any("is damaged: going back" in sentence for sentence in said)
    assert "going on after epoch 1" in said
    assert outcome(one) == outcome(whole)


def test_two_seeds_give_two_results(tmp_path: Path) -> None:
    jobs = [short(tmp_path, seed=seed) for seed in (0, 1)]
    assert [run_trial(one) for one in jobs] == ["done", "done"]
    losses = [record_of(one).rows()[0]["train_loss"] for one in jobs]
    assert losses[0] != losses[1]


def test_the_result_is_sealed_last_and_holds_the_sha256_of_its_siblings(whole: TrialSpec) -> None:
    record = record_of(whole)
    files = [path for path in record.folder.iterdir() if path.is_file() and path.name[0] != "."]
    assert max(files, key=lambda path: path.stat().st_mtime_ns).name == "result.json"
    assert record.status()["state"] == "done"
    assert record.corrupted_files() == []
    result = record.result()
    assert result is not None
    assert set(result["sha256"]) == {"recipe.json", "metrics.jsonl", "correct.npz"}


def test_the_record_has_the_columns_of_the_contract(whole: TrialSpec) -> None:
    result = record_of(whole).result()
    assert result is not None
    expected = {
        f"{split}_{metric}.{weights}.{when}"
        for split, whens in (
            ("selection", ("selected", "last", "best")),
            ("test", ("selected", "last")),
        )
        for metric in ("acc1", "acc5", "loss")
        for weights in ("raw", "ema")
        for when in whens
    }
    assert expected <= result["metrics"].keys()
    assert [row["epoch"] for row in record_of(whole).rows()] == list(range(EPOCHS))
    assert [row["step"] for row in record_of(whole).rows()] == [STEPS, 2 * STEPS, 3 * STEPS]


def test_a_trial_that_is_done_is_left_as_it_is(whole: TrialSpec) -> None:
    before = {path: path.stat().st_mtime_ns for path in record_of(whole).folder.iterdir()}
    assert run_trial(whole) == "done"
    after = {path: path.stat().st_mtime_ns for path in record_of(whole).folder.iterdir()}
    assert {path.name for path in before if before[path] != after[path]} <= {".lock"}


def test_a_damaged_record_is_set_aside_and_the_trial_runs_again(tmp_path: Path) -> None:
    one, said = short(tmp_path), []
    run_trial(one)
    expected = outcome(one)
    metrics = record_of(one).folder / "metrics.jsonl"
    metrics.write_text(metrics.read_text().replace("0", "1", 1))
    assert run_trial(one, said.append) == "done"
    assert said[0] == "metrics.jsonl is damaged: set aside as metrics.jsonl.damaged-1"
    assert outcome(one) == expected


def test_a_diverged_trial_says_so_and_seals_nothing(tmp_path: Path) -> None:
    one = short(tmp_path, **{"lr": 1e30, "clip_grad": 0.0, "data.epoch_images": 150})
    assert run_trial(one) == "diverged"
    failure = record_of(one).failure()
    assert failure is not None
    assert failure["kind"] == "diverged"
    assert "try a smaller lr" in failure["message"]
    assert record_of(one).result() is None


def test_an_error_is_on_the_record_with_its_traceback(tmp_path: Path) -> None:
    one, said = short(tmp_path), []
    missing = replace(one.recipe.encoder, pretrained=str(tmp_path / "gone.pt"))
    one = replace(one, recipe=replace(one.recipe, encoder=missing))
    assert run_trial(one, said.append) == "failed"
    failure = record_of(one).failure()
    assert failure is not None
    assert "gone.pt is not a file" in failure["message"]
    assert "Traceback" in failure["traceback"]
    assert record_of(one).status()["state"] == "failed"


def test_a_folder_has_one_writer(tmp_path: Path) -> None:
    one = short(tmp_path)
    with (
        lock_folder(record_of(one).folder),
        pytest.raises(FolderLockedError, match="another live process"),
    ):
        run_trial(one)
    assert os.listdir(record_of(one).folder) == [".lock"]  # noqa: PTH208 - hidden files too


@pytest.mark.parametrize(("micro_batch", "legal"), [(0, True), (25, True), (50, True), (20, False)])
def test_a_micro_batch_divides_the_batch(tmp_path: Path, micro_batch: int, legal: bool) -> None:
    machine = replace(short(tmp_path).machine, micro_batch=micro_batch)
    if legal:
        assert replace(short(tmp_path), machine=machine).machine.micro_batch == micro_batch
        return
    with pytest.raises(ValueError, match=r"micro_batch=20 does not divide batch_size=50: try 10"):
        replace(short(tmp_path), machine=machine)
