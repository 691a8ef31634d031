"""The data path of a whole trial on image files: workers, waiting, errors, resumes."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support import image_folders
from support.child_processes import ChildProcesses
from support.cli import alive, wait_until
from support.image_folders import grow
from support.metrics_rows import rows_without_times

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.data.dataset import TRAIN
from clip_hparam.data.loading import shared_buffer, wait_clock
from clip_hparam.data.loading.crop_reader import CropReader
from clip_hparam.data.loading.read_request import ReadRequest
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.record import Record
from clip_hparam.training.callbacks.base import TrialCallback
from clip_hparam.training.trial import run_trial

KNOBS = {
    "data.name": "folder",
    "data.shots": 0,
    "data.selection": 0.25,
    "data.epoch_images": 40,
    "batch_size": 10,
    "epochs": 2,
    "color_jitter": 0.2,
    "random_erasing": 0.25,
    "encoder.pretrained": "random",
}
STEPS = 4


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parts = {"train": 16, "test": 4}
    folders = {f"{part}/{name}": count for part, count in parts.items() for name in "abc"}
    return grow(tmp_path_factory.mktemp("images"), folders)


def spec(root: Path, runs: Path, workers: int | str, **knobs: Any) -> TrialSpec:
    recipe = resolve(with_values(Recipe(), {**KNOBS, "data.root": str(root), **knobs}))
    return TrialSpec(recipe, Machine(runs=str(runs), device="cpu", loader_workers=workers))


def content(trial: TrialSpec) -> list[Any]:
    """Return the metrics and the rows of a done trial, without times."""
    record = Record(trial.machine.runs, trial.trial_id)
    result = record.result()
    assert result is not None
    rows = rows_without_times(record)
    return [result["metrics"], *rows]


class Spy(TrialCallback):
    """Records the child processes of a trial after each step, and may stop the trial or raise."""

    def __init__(self, stop: int = 0, fail: int = 0) -> None:
        self.stop, self.fail = stop, fail
        self.children = ChildProcesses()
        self.seen: list[set[int | None]] = []

    def on_step(self, step: int, total_steps: int) -> None:
        self.seen.append(self.children.living())
        if step == self.fail:
            raise RuntimeError("injected")

    def should_stop(self) -> bool:
        return len(self.seen) == self.stop > 0


def test_number_of_workers_changes_no_number_and_processes_are_kept(
    root: Path, tmp_path: Path
) -> None:
    contents = []
    for workers in (0, 2):
        spy = Spy()
        trial = spec(root, tmp_path / str(workers), workers)
        assert trial.recipe.augment_backend == "tensor"
        assert run_trial(trial, [spy]).state == "done"
        contents.append(content(trial))
        assert all(seen == spy.seen[0] for seen in spy.seen)
        assert len(spy.seen[0]) == workers
        assert not spy.children.living()
    assert contents[0] == contents[1]


@pytest.mark.parametrize("how", [{"stop": 3}, {"fail": 3}])
def test_workers_end_with_a_trial_that_stops_or_fails(
    how: dict[str, int], root: Path, tmp_path: Path
) -> None:
    spy = Spy(**how)
    outcome = run_trial(spec(root, tmp_path, 2), [spy])
    assert outcome.state == ("queued" if "stop" in how else "failed")
    assert len(spy.seen[-1]) == 2
    assert not spy.children.living()


def test_resume_reads_no_image_twice_for_training_and_has_the_same_numbers(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: Counter[bytes] = Counter()
    original = CropReader.read

    def counted(self: CropReader, images: Any, request: ReadRequest, out: Any) -> None:
        if request.images == TRAIN and request.draws is not None:
            read.update(one.tobytes() for one in request.draws)
        original(self, images, request, out)

    monkeypatch.setattr(CropReader, "read", counted)
    whole, cut = (spec(root, tmp_path / name, 0) for name in ("whole", "cut"))
    run_trial(whole)
    expected, read = Counter(read), read
    read.clear()
    assert run_trial(cut, [Spy(stop=STEPS + 2)]).state == "queued"
    assert run_trial(cut).state == "done"
    assert read == expected
    assert set(expected.values()) == {1}
    assert content(whole) == content(cut)


def test_rows_record_the_share_spent_waiting_and_the_log_advises(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    original = CropReader.read

    def slow(self: CropReader, images: Any, request: ReadRequest, out: Any) -> None:
        time.sleep(0.1)
        original(self, images, request, out)

    monkeypatch.setattr(CropReader, "read", slow)
    monkeypatch.setattr(wait_clock, "MIN_SECONDS", 0.1)
    monkeypatch.setattr(wait_clock, "MAX_SHARE", 0.001)  # steps take long on a busy machine
    caplog.set_level(logging.WARNING)
    trial = spec(root, tmp_path, 0)
    run_trial(trial)
    shares = [row["wait"] for row in Record(trial.machine.runs, trial.trial_id).rows()]
    assert all(wait_clock.MAX_SHARE < share < 1 for share in shares)
    told = [message for message in caplog.messages if "waiting for images" in message]
    assert len(told) == 1
    assert "machine.loader_workers=1" in told[0]


def test_too_little_memory_ends_the_trial_before_the_first_step(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_buffer, "available_memory", lambda: 2**20)
    spy = Spy()
    outcome = run_trial(spec(root, tmp_path, 8), [spy])
    assert outcome.failure is not None
    assert outcome.failure["message"].startswith("machine.loader_workers=8 needs")
    assert spy.seen == []


LEAVES_WORKERS = """
import os, signal, sys
from pathlib import Path
import numpy as np
from clip_hparam.config.recipe import Encoder, Recipe
from clip_hparam.data.dataset import TRAIN
from clip_hparam.data.loading.loader import LoaderOptions
from clip_hparam.data.loading.pipelines import TensorPipeline
from clip_hparam.data.loading.wait_clock import WaitClock
from clip_hparam.data.image_folder import load_imagenet_tree
recipe = Recipe(encoder=Encoder(pixels="clip"), resolution=32)
files = load_imagenet_tree(Path(sys.argv[1])).train
pipeline = TensorPipeline(recipe, {TRAIN: files}, LoaderOptions(2, 20, 32), WaitClock(""))
index = np.arange(len(files))
next(pipeline.train_batches(0, index, index[:16].reshape(4, 4)))
import multiprocessing
print(*(child.pid for child in multiprocessing.active_children()), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_workers_end_with_a_killed_process(tmp_path: Path) -> None:
    """Workers inherit stdout: it has a line at once, but ends only with the last worker."""
    root = image_folders.imagenet(tmp_path / "images", train=8)
    environment = {**os.environ, "CLIP_HPARAM_CACHE": str(tmp_path / "cache")}
    owner = subprocess.Popen(
        [sys.executable, "-c", LEAVES_WORKERS, str(root)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert owner.stdout is not None
    pids = [int(pid) for pid in owner.stdout.readline().split()]
    assert owner.wait() == -signal.SIGKILL
    assert len(pids) == 2
    wait_until(lambda: not any(map(alive, pids)), seconds=10)
    owner.stdout.close()
