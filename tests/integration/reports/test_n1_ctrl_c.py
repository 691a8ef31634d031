"""Ctrl-C saves the state of a trial, and the same command resumes at that step."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.cli import SHORT, records, start, sweep, wait_until
from support.in_process import Done
from support.metrics_rows import rows_without_times

from clip_hparam.records.record import Record
from clip_hparam.training import engine, epoch, trainer

EPOCHS, STEPS = 3, 4
TRIAL = ("epochs=3", "batch_size=25", "data.epoch_images=100", "eval_test=epoch")


def interrupt(*numbers: signal.Signals) -> None:
    for number in numbers:
        os.kill(os.getpid(), number)


def calls_before(function: Callable[..., Any], call: int, act: Callable[[], None]) -> Any:
    """Return a function that calls `act` at its call number `call`, counted from 1."""
    count = 0

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal count
        count += 1
        if count == call:
            act()
        return function(*args, **kwargs)

    return wrapped


def content(record: Record) -> str:
    """Return the metrics and the rows of a done trial as JSON, without times."""
    result = record.result()
    assert result is not None
    return json.dumps([result["metrics"], rows_without_times(record)])


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("uninterrupted")
    assert sweep(*TRIAL, cwd=folder).code == 0
    return content(*records(folder))


@pytest.fixture(autouse=True)
def _hangups_are_delivered() -> Iterator[None]:
    """Deliver SIGHUP also where pytest was started by nohup, which a trial respects."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def run_interrupted(
    patch: pytest.MonkeyPatch, module: Any, name: str, call: int, folder: Path, *numbers: Any
) -> Done:
    """Run the trial and send signals at a call of a function of the training code."""
    with patch.context() as inner:
        function = getattr(module, name)
        inner.setattr(module, name, calls_before(function, call, lambda: interrupt(*numbers)))
        return sweep(*TRIAL, cwd=folder)


@pytest.mark.parametrize(
    ("module", "name", "call", "number", "step", "epoch"),
    [
        (engine, "train_step", 1, signal.SIGINT, None, 1),
        (engine, "train_step", 6, signal.SIGINT, 6, 2),
        (engine, "train_step", 4, signal.SIGTERM, 4, 1),
        (epoch, "evaluate_models", 2, signal.SIGHUP, 4, 1),
        (trainer, "evaluate_selected_and_last", 1, signal.SIGINT, 12, 3),
    ],
    ids=["first step", "step", "last step of an epoch", "evaluation", "test"],
)
def test_interrupted_trial_goes_on_from_its_step_to_the_same_bits(
    module: Any,
    name: str,
    call: int,
    number: signal.Signals,
    step: int | None,
    epoch: int,
    uninterrupted: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = run_interrupted(monkeypatch, module, name, call, tmp_path, number)
    position = f"the state is saved after step {step} of 12, in epoch {epoch} of 3;"
    expected = "no state was saved; run the same command again to start it from the beginning\n"
    if step is not None:
        expected = f"{position} run the same command again to continue from there\n"
    assert (done.code, done.err) == (130, f"interrupted: {expected}")
    (record,) = records(tmp_path)
    assert record.status()["state"] == "cancelled"
    again = sweep(*TRIAL, cwd=tmp_path)
    assert again.code == 0, again.err
    assert ("resuming after" in again.out) == (step is not None)
    assert content(record) == uninterrupted


def test_second_ctrl_c_stops_at_once(
    uninterrupted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clip_hparam.training.callbacks.interrupt.REPEAT_SECONDS", 0.0)
    twice = (signal.SIGINT, signal.SIGINT)
    done = run_interrupted(monkeypatch, engine, "train_step", 6, tmp_path, *twice)
    assert done.code == 130
    assert done.err.startswith("interrupted: no state was saved")
    assert sweep(*TRIAL, cwd=tmp_path).code == 0
    assert content(*records(tmp_path)) == uninterrupted


def test_repeated_sigterm_is_one_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    twice = (signal.SIGTERM, signal.SIGTERM)  # timeout(1) sends it to the process and its group
    done = run_interrupted(monkeypatch, engine, "train_step", 6, tmp_path, *twice)
    assert "saved after step 6 of 12" in done.err


def test_interrupted_sweep_saves_the_running_trials(tmp_path: Path) -> None:
    words = ("-m", "seeds=2", "workers=2", "epochs=400", "data.epoch_images=100")
    driver = start(*words, cwd=tmp_path)
    try:
        wait_until(lambda: len(list(tmp_path.rglob("metrics.jsonl"))) == 2)
        os.killpg(driver.pid, signal.SIGINT)
        _, err = driver.communicate(timeout=60)
    finally:
        driver.kill()
    assert driver.returncode == 130
    assert err == "interrupted: 2 of 2 trials are left; run the same command again to continue\n"
    for record in records(tmp_path):
        assert record.status()["state"] == "cancelled"
        assert "the state is saved after step" in (record.failure() or {})["message"]
        assert list(record.checkpoint_folder.glob("*.sha256"))


@pytest.mark.parametrize("launcher", ["inline", "basic"])
def test_ctrl_c_ends_a_sweep_in_one_process(
    launcher: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("-m", "seeds=2", *SHORT, f"hydra/launcher={launcher}")
    ctrl_c = calls_before(engine.train_step, 1, lambda: interrupt(signal.SIGINT))
    monkeypatch.setattr(engine, "train_step", ctrl_c)
    done = sweep(*words, cwd=tmp_path)
    assert done.code == 130
    assert done.err.startswith("interrupted: ")
    assert done.err.count("\n") == 1
    assert [record.status()["state"] for record in records(tmp_path)] == ["cancelled"]
