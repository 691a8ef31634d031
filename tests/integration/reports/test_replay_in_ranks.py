"""A trial that was trained in several processes is replayed in as many, or refused before it."""

import shlex
from pathlib import Path

import pytest
from support.cli import SHORT, records, sweep, sweep_process
from support.in_process import Done

TRIAL = (*SHORT, "batch_size=50", "seed=3")
TWO = "gpus_per_trial=2"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a trial that was trained in two processes."""
    folder = tmp_path_factory.mktemp("ranks")
    done = sweep("-m", *TRIAL, TWO, cwd=folder)
    assert done.code == 0, done.err
    (record,) = records(folder)
    assert record.status()["numerics"]["ranks"] == 2
    return folder


def offered(done: Done) -> list[str]:
    """Return the overrides of the command that adds what is missing."""
    (line,) = (line for line in done.out.splitlines() if "then add it: " in line)
    return shlex.split(line.rpartition("python sweep.py ")[2])


@pytest.mark.parametrize("words", [(), ("-m",)], ids=["trial", "sweep"])
@pytest.mark.parametrize("ranks", [(), ("gpus_per_trial=1",)], ids=["default", "typed"])
def test_another_number_of_processes_is_refused_before_it_trains(
    words: tuple[str, ...], ranks: tuple[str, ...], folder: Path
) -> None:
    asked = (*words, *TRIAL, *ranks, "keep_checkpoints=last")
    (record,) = records(folder)
    log = (record.folder / "log.txt").read_text()
    done = sweep(*asked, "replay=true", cwd=folder)
    assert done.code == 2
    assert done.err.endswith("gpus_per_trial=1 gives other numbers: type gpus_per_trial=2\n")
    assert (record.folder / "log.txt").read_text() == log
    command = offered(sweep(*asked, cwd=folder))
    assert [word for word in command if word.startswith("gpus_per_trial")] == [TWO]


def test_a_sweep_replays_in_the_recorded_number_of_processes(folder: Path) -> None:
    (record,) = records(folder)
    before = record.result()
    command = offered(sweep("-m", *TRIAL, "keep_checkpoints=best", cwd=folder))
    done = sweep(*command, cwd=folder)
    assert done.code == 0, done.err
    assert (record.folder / "best.safetensors").exists()
    assert record.result() == before
    assert record.status()["numerics"]["ranks"] == 2


def test_a_trial_replays_in_the_recorded_number_of_processes(folder: Path) -> None:
    command = offered(sweep(*TRIAL, "eval_test=epoch", cwd=folder))
    done = sweep_process(*command, cwd=folder)
    assert done.code == 0, done.err
    assert "all numbers equal the recorded ones: the test metrics of each epoch" in done.out
    (record,) = records(folder)
    assert "test_acc1.raw" in record.rows()[0]
