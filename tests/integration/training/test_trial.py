"""Trials: a resumed trial ends in the same record; errors, damage and locks are recorded."""

import json
import logging
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from support.metrics_rows import rows_without_times
from support.stateful_knobs import STATEFUL_KNOBS

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.lock import FolderLockedError, lock_folder
from clip_hparam.records.record import Record
from clip_hparam.training.callbacks.base import TrialCallback
from clip_hparam.training.callbacks.progress_bar import ProgressBar
from clip_hparam.training.trial import run_trial

EPOCHS, STEPS = 3, 4  # steps per epoch
RECIPE = {
    **STATEFUL_KNOBS,
    "epochs": EPOCHS,
    "data.epoch_images": 50 * STEPS,
    "color_jitter": 0.4,
}
KILLED_AT = (1, 6, 8)  # before the first checkpoint, in mid-epoch, and at an epoch's end

# one process imports torch; its fork runs the trial and kills itself after a step
KILLER = """
import json, os, signal, sys, time
from clip_hparam.records.record import Record
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.training.callbacks.base import TrialCallback
from clip_hparam.training.trial import run_trial

class Kill(TrialCallback):
    def on_start(self, spec):
        self.folder = Record(spec.machine.runs, spec.trial_id).checkpoint_folder

    def on_step(self, step, total_steps):
        if step == last:
            while step > 1 and not any(self.folder.glob("*.sha256")):
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)

for tree, last in json.loads(sys.argv[1]):
    child = os.fork()
    if not child:
        run_trial(TrialSpec.from_dict(tree), [Kill()])
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


class StopAt(TrialCallback):
    """Records the steps, and stops the trial after a step."""

    def __init__(self, last: int = -1) -> None:
        self.last, self.steps = last, list[int]()

    def on_step(self, step: int, total_steps: int) -> None:
        assert total_steps == EPOCHS * STEPS
        self.steps.append(step)

    def should_stop(self) -> bool:
        return self.steps[-1:] == [self.last]


class InterruptAt(StopAt):
    """Raises KeyboardInterrupt, as Ctrl-C does, after a step."""

    def should_stop(self) -> bool:
        if super().should_stop():
            raise KeyboardInterrupt
        return False


class Recorder(TrialCallback):
    """Records its calls, and prunes the trial after an epoch."""

    def __init__(self, last_epoch: int = -1) -> None:
        self.last_epoch, self.calls = last_epoch, list[Any]()

    def on_start(self, spec: TrialSpec) -> None:
        self.calls.append(("start", spec.trial_id))

    def on_epoch_end(self, rows: list[dict[str, Any]]) -> bool:
        self.calls.append(("epoch", len(rows)))
        return len(rows) == self.last_epoch

    def on_end(self, state: str, result: Any) -> None:
        self.calls.append(("end", state, result))


@pytest.fixture(autouse=True)
def _info_messages(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="clip_hparam")


def trial_spec(runs: Path, seconds: float = 0.0, **knobs: Any) -> TrialSpec:
    recipe = resolve(with_values(Recipe(), {**RECIPE, **knobs}))
    machine = Machine(runs=str(runs), device="cpu", checkpoint_seconds=seconds)
    return TrialSpec(recipe, machine, keep_checkpoints="last")


def short_trial(runs: Path, **knobs: Any) -> TrialSpec:
    return trial_spec(runs, **{"epochs": 1, "data.epoch_images": 50, "warmup": 0.0, **knobs})


def record_of(spec: TrialSpec) -> Record:
    return Record(spec.machine.runs, spec.trial_id)


def content(spec: TrialSpec) -> dict[str, Any]:
    """Return the content of a record except times, host and attempt."""
    record = record_of(spec)
    result = record.result()
    assert result is not None
    rows = rows_without_times(record)
    files = {
        name: (record.folder / name).read_bytes() for name in ("last.safetensors", "correct.npz")
    }
    return {"rows": rows, "metrics": result["metrics"], "epochs": result["epochs"], **files}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> TrialSpec:
    spec = trial_spec(tmp_path_factory.mktemp("uninterrupted"))
    assert run_trial(spec).state == "done"
    return spec


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[int, TrialSpec]:
    """Return the same trial, killed after a step, by that step."""
    specs = {step: trial_spec(tmp_path_factory.mktemp(f"killed_{step}")) for step in KILLED_AT}
    orders = json.dumps([(spec.to_dict(), step) for step, spec in specs.items()])
    done = subprocess.run(
        [sys.executable, "-c", KILLER, orders], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(-signal.SIGKILL)] * len(specs)
    return specs


@pytest.mark.parametrize("step", KILLED_AT)
def test_killed_trial_resumes_to_the_same_bits(
    step: int,
    killed: dict[int, TrialSpec],
    uninterrupted: TrialSpec,
    caplog: pytest.LogCaptureFixture,
) -> None:
    spec = killed[step]
    assert record_of(spec).result() is None
    assert run_trial(spec).state == "done"
    assert any(text.startswith("resuming after") for text in caplog.messages) == (step > 1)
    assert content(spec) == content(uninterrupted)
    assert record_of(spec).status()["attempt"] == 2
    assert not (record_of(spec).folder / "checkpoint").exists()


@pytest.mark.parametrize("step", [STEPS, STEPS + 2, EPOCHS * STEPS])
def test_stopped_trial_resumes_from_its_step_to_the_same_bits(
    step: int, tmp_path: Path, uninterrupted: TrialSpec
) -> None:
    spec, stopped, resumed = trial_spec(tmp_path), StopAt(step), StopAt()
    state = run_trial(spec, [stopped]).state
    assert (state, record_of(spec).status()["state"]) == ("queued", "queued")
    assert run_trial(spec, [resumed]).state == "done"
    assert stopped.steps + resumed.steps == list(range(1, EPOCHS * STEPS + 1))
    assert content(spec) == content(uninterrupted)


def test_damaged_checkpoint_falls_back_to_the_previous_one(
    tmp_path: Path, uninterrupted: TrialSpec, caplog: pytest.LogCaptureFixture
) -> None:
    spec = trial_spec(tmp_path, seconds=60.0)
    for step in (STEPS + 1, 2 * STEPS + 1):
        assert run_trial(spec, [StopAt(step)]).state == "queued"
    newest = max((record_of(spec).folder / "checkpoint").glob("step_*.safetensors"))
    newest.write_bytes(newest.read_bytes()[:-1])
    caplog.clear()
    assert run_trial(spec).state == "done"
    assert any("is damaged: going back" in message for message in caplog.messages)
    assert "resuming after epoch 1 and 1 step" in caplog.messages
    assert content(spec) == content(uninterrupted)


def test_interrupted_trial_leaves_no_part_of_a_checkpoint(
    tmp_path: Path, uninterrupted: TrialSpec
) -> None:
    spec = trial_spec(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run_trial(spec, [InterruptAt(2 * STEPS + 1)])
    assert record_of(spec).status()["state"] == "cancelled"
    assert list((record_of(spec).folder / "checkpoint").glob(".*")) == []
    assert run_trial(spec).state == "done"
    assert content(spec) == content(uninterrupted)


def test_callbacks_receive_the_start_each_epoch_and_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = short_trial(tmp_path, epochs=2)
    first, second = Recorder(), Recorder()
    outcome = run_trial(spec, [first, ProgressBar(Console(force_terminal=True)), second])
    assert outcome.state == "done"
    assert outcome.result is not None
    assert outcome.result["metrics"] == (record_of(spec).result() or {})["metrics"]
    assert first.calls == [
        ("start", spec.trial_id),
        ("epoch", 1),
        ("epoch", 2),
        ("end", "done", outcome.result),
    ]
    assert second.calls == first.calls
    assert "2/2" in capsys.readouterr().out


def test_pruned_trial_ends_without_a_result_or_a_checkpoint(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spec, recorder = short_trial(tmp_path, epochs=2), Recorder(last_epoch=1)
    assert run_trial(spec, [recorder]) == ("pruned", None, None)
    assert recorder.calls == [("start", spec.trial_id), ("epoch", 1), ("end", "pruned", None)]
    assert record_of(spec).status()["state"] == "pruned"
    assert not (record_of(spec).folder / "checkpoint").exists()
    assert "pruned after epoch 1/2" in caplog.messages


def test_last_epoch_is_not_pruned(tmp_path: Path) -> None:
    assert run_trial(short_trial(tmp_path), [Recorder(last_epoch=1)]).state == "done"


def test_different_seeds_give_different_results(tmp_path: Path) -> None:
    specs = [short_trial(tmp_path, seed=seed) for seed in (0, 1)]
    assert [run_trial(spec).state for spec in specs] == ["done", "done"]
    losses = [record_of(spec).rows()[0]["train_loss"] for spec in specs]
    assert losses[0] != losses[1]


def test_result_is_written_last_with_the_sha256_of_its_siblings(uninterrupted: TrialSpec) -> None:
    record = record_of(uninterrupted)
    files = [path for path in record.folder.iterdir() if path.is_file() and path.name[0] != "."]
    assert max(files, key=lambda path: path.stat().st_mtime_ns).name == "result.json"
    assert record.status()["state"] == "done"
    assert record.corrupted_files() == []
    result = record.result()
    assert result is not None
    assert set(result["sha256"]) == {
        "recipe.json",
        "metrics.jsonl",
        "correct.npz",
        "predictions.npz",
    }


def test_record_has_the_documented_columns(uninterrupted: TrialSpec) -> None:
    result = record_of(uninterrupted).result()
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
    expected |= {
        f"{split}_{metric}.{weights}.{when}"
        for split in ("selection", "test")
        for metric in ("ece", "brier", "tempered_loss", "balanced_acc", "macro_f1")
        for weights in ("raw", "ema")
        for when in ("selected", "last")
    }
    assert expected <= result["metrics"].keys()
    assert [row["epoch"] for row in record_of(uninterrupted).rows()] == list(range(EPOCHS))
    assert [row["step"] for row in record_of(uninterrupted).rows()] == [STEPS, 2 * STEPS, 3 * STEPS]


def test_predictions_of_the_reported_weights_have_their_accuracy(uninterrupted: TrialSpec) -> None:
    record = record_of(uninterrupted)
    metrics = (record.result() or {})["metrics"]
    with np.load(record.folder / "predictions.npz") as file:
        right = file["test.predicted"] == file["test.labels"]
        wrong = np.flatnonzero(~right)
        assert str(file["weights"]) == "ema"
        assert 100 * right.mean() == pytest.approx(metrics["test_acc1.ema.selected"])
        assert set(file["test.errors"]) <= set(wrong)
        assert len(file["test.pictures"]) == min(32, len(wrong)) > 0
    scaled, plain = (metrics[f"selection_{name}.ema.last"] for name in ("tempered_loss", "loss"))
    assert scaled <= plain  # the temperature minimises it
    assert metrics["selection_temperature.ema.last"] > 0


def test_done_trial_is_not_run_again(uninterrupted: TrialSpec) -> None:
    before = {path: path.stat().st_mtime_ns for path in record_of(uninterrupted).folder.iterdir()}
    outcome = run_trial(uninterrupted)
    assert (outcome.state, outcome.result) == ("done", record_of(uninterrupted).result())
    after = {path: path.stat().st_mtime_ns for path in record_of(uninterrupted).folder.iterdir()}
    assert {path.name for path in before if before[path] != after[path]} <= {".lock"}


def test_damaged_record_is_quarantined_and_the_trial_is_rerun(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spec = short_trial(tmp_path)
    run_trial(spec)
    expected = content(spec)
    metrics = record_of(spec).folder / "metrics.jsonl"
    metrics.write_text(metrics.read_text().replace("0", "1", 1))
    caplog.clear()
    assert run_trial(spec).state == "done"
    assert caplog.messages[0] == "metrics.jsonl is damaged: set aside as metrics.jsonl.damaged-1"
    assert content(spec) == expected


def test_diverged_trial_is_recorded_without_a_result(tmp_path: Path) -> None:
    spec = short_trial(tmp_path, **{"lr": 1e30, "clip_grad": 0.0, "data.epoch_images": 150})
    outcome = run_trial(spec)
    assert (outcome.state, outcome.result) == ("diverged", None)
    failure = record_of(spec).failure()
    assert failure is not None
    assert (outcome.failure or {}).items() <= failure.items()
    assert failure["kind"] == "diverged"
    assert "try a smaller lr" in failure["message"]
    assert record_of(spec).result() is None


def test_trial_whose_last_step_ruins_the_weights_has_diverged(tmp_path: Path) -> None:
    one_step = {"epochs": 1, "warmup": 0.0, "batch_size": 25, "data.epoch_images": 25}
    outcome = run_trial(short_trial(tmp_path, **one_step, lr=1e30))
    assert (outcome.state, outcome.result) == ("diverged", None)
    message = (outcome.failure or {})["message"]
    assert message == ("diverged at step 1: the loss of the selection set is nan; try a smaller lr")


def test_error_is_recorded_with_its_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spec = short_trial(tmp_path)
    missing = replace(spec.recipe.encoder, pretrained=str(tmp_path / "gone.pt"))
    spec = replace(spec, recipe=replace(spec.recipe, encoder=missing))
    outcome = run_trial(spec)
    assert (outcome.state, outcome.result) == ("failed", None)
    failure = record_of(spec).failure()
    assert failure is not None
    assert (outcome.failure or {}).items() <= failure.items()
    assert failure["traceback"] in caplog.messages
    assert "gone.pt is not a file" in failure["message"]
    assert "Traceback" in failure["traceback"]
    assert record_of(spec).status()["state"] == "failed"


def test_locked_folder_is_refused(tmp_path: Path) -> None:
    spec = short_trial(tmp_path)
    with (
        lock_folder(record_of(spec).folder),
        pytest.raises(FolderLockedError, match="another live process"),
    ):
        run_trial(spec)
    assert os.listdir(record_of(spec).folder) == [".lock"]  # noqa: PTH208 - hidden files too


@pytest.mark.parametrize(("micro_batch", "legal"), [(0, True), (25, True), (50, True), (20, False)])
def test_micro_batch_must_divide_the_batch(tmp_path: Path, micro_batch: int, legal: bool) -> None:
    machine = replace(short_trial(tmp_path).machine, micro_batch=micro_batch)
    if legal:
        assert replace(short_trial(tmp_path), machine=machine).machine.micro_batch == micro_batch
        return
    with pytest.raises(ValueError, match=r"micro_batch=20 does not divide batch_size=50: try 10"):
        replace(short_trial(tmp_path), machine=machine)
