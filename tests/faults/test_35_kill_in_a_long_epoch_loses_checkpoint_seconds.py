"""kill -9 inside an epoch loses at most checkpoint_seconds and a step; the same bits follow."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.stateful_knobs import STATEFUL_KNOBS

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.record import Record
from clip_hparam.training.checkpoints import checkpoint
from clip_hparam.training.trial import run_trial

STEPS = 24  # of each of two epochs
SECONDS = 5
RECIPE = {
    **STATEFUL_KNOBS,
    "epochs": 2,
    "batch_size": 20,
    "data.epoch_images": 20 * STEPS,
    "rand_augment": "rand-m9-mstd0.5-inc1",
}
# a step takes a second of the writer's clock; each write ends before the next step begins
KILLER = """
import json, os, signal, sys
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.training.callbacks.base import TrialCallback
from clip_hparam.training.checkpoints import checkpoint, state_file, writer
from clip_hparam.training.trial import run_trial

class Clock(TrialCallback):
    def __init__(self, last):
        self.now, self.last, self.saver = 0.0, last, None

    def on_step(self, step, total_steps):
        self.now = float(step)
        if self.saver is not None and self.saver._thread is not None:
            self.saver._thread.join()
        if step == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

def kill_in_write(step):
    read = state_file.Snapshot.read
    def partly(snapshot):
        for chunk in read(snapshot):
            if clock.now == step:
                os.kill(os.getpid(), signal.SIGKILL)
            yield chunk
    state_file.Snapshot.read = partly

for tree, last, in_write in json.loads(sys.argv[1]):
    child = os.fork()
    if not child:
        clock = Clock(last)
        writer.monotonic = lambda: clock.now
        begin = writer.CheckpointWriter.__enter__
        def enter(saver):
            clock.saver = saver
            return begin(saver)
        writer.CheckpointWriter.__enter__ = enter
        if in_write:
            kill_in_write(in_write)
        run_trial(TrialSpec.from_dict(tree), [clock])
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
KILLED = {  # step of the kill, or of the save whose write is killed -> step that is saved
    "in the first epoch": (14, 0, 10),
    "in the second epoch": (STEPS + 13, 0, STEPS + 11),
    "in a write": (0, 15, 10),
}


def trial_spec(runs: Path) -> TrialSpec:
    recipe = resolve(with_values(Recipe(), RECIPE))
    machine = Machine(runs=str(runs), device="cpu", checkpoint_seconds=SECONDS)
    return TrialSpec(recipe, machine, keep_checkpoints="last")


def content(spec: TrialSpec) -> tuple[Any, ...]:
    record = Record(spec.machine.runs, spec.trial_id)
    result = record.result()
    assert result is not None
    weights = (record.folder / "last.safetensors").read_bytes()
    return result["metrics"], [row["train_loss"] for row in record.rows()], weights


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TrialSpec]:
    specs = {name: trial_spec(tmp_path_factory.mktemp("killed")) for name in KILLED}
    orders = [(specs[name].to_dict(), *KILLED[name][:2]) for name in KILLED]
    done = subprocess.run(
        [sys.executable, "-c", KILLER, json.dumps(orders)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(-signal.SIGKILL)] * len(KILLED), done.stderr
    return specs


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    spec = trial_spec(tmp_path_factory.mktemp("uninterrupted"))
    assert run_trial(spec).state == "done"
    return content(spec)


@pytest.mark.parametrize("name", KILLED)
def test_kill_loses_at_most_checkpoint_seconds_and_one_step(
    name: str, killed: dict[str, TrialSpec], uninterrupted: tuple[Any, ...]
) -> None:
    spec = killed[name]
    folder = Record(spec.machine.runs, spec.trial_id).checkpoint_folder
    at, in_write, expected = KILLED[name]
    assert checkpoint.saved_step(folder) == expected
    if not in_write:
        assert at - expected <= SECONDS + 1
    assert bool(list(folder.glob(".step_*"))) == bool(in_write)
    assert run_trial(spec).state == "done"
    assert content(spec) == uninterrupted
