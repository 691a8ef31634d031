"""The state is saved by time inside an epoch, in a thread, and loads with the bits of its step."""

import errno
import hashlib
import os
import threading
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Data, Recipe
from clip_hparam.model.classifier import Classifier, freeze
from clip_hparam.model.tower import create_tower
from clip_hparam.records.atomic import open_atomic
from clip_hparam.training.checkpoints import checkpoint, state_file, writer
from clip_hparam.training.checkpoints.content import restore_checkpoint
from clip_hparam.training.checkpoints.progress import Progress
from clip_hparam.training.checkpoints.writer import CheckpointWriter
from clip_hparam.training.engine import train_step
from clip_hparam.training.factory import create_train_state
from clip_hparam.training.train_state import TrainState

STEPS = 40
SMALL = {"image_size": 12, "patch_size": 4, "width": 24, "layers": 2, "head_width": 8}
LARGE = {"image_size": 12, "patch_size": 4, "width": 512, "layers": 4, "head_width": 64}


def create(vision: dict[str, int], **knobs: Any) -> TrainState:
    given = {"warmup": 0.1, "epochs": STEPS, "batch_size": 4, "ema_decay": 0.9, **knobs}
    recipe = Recipe(**given, data=Data(epoch_images=4))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Classifier(create_tower({"embed_dim": 8, "vision_cfg": vision}), 5).train()
    freeze(model, recipe.freeze)
    return create_train_state(recipe, Machine(device="cpu"), model)


def train(state: TrainState, progress: Progress) -> None:
    """Do one step."""
    step = len(progress.losses)
    generator = torch.Generator().manual_seed(step)
    images = torch.randn(4, 3, 12, 12, generator=generator)
    targets = torch.eye(5)[torch.randint(5, (4,), generator=generator)]
    progress.losses.append(train_step(state, step, images, targets))


def tensors(state: TrainState) -> dict[str, Tensor]:
    """Return copies of all tensors that a trial needs."""
    moments = {
        f"{index}.{name}": tensor
        for index, values in state.optimizer.state_dict()["state"].items()
        for name, tensor in values.items()
    }
    models = {
        f"{model}.{name}": tensor
        for model, module in state.eval_models.items()
        for name, tensor in module.state_dict().items()
    }
    return deepcopy({**moments, **models})


class Clock:
    """A clock that moves by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(writer, "monotonic", lambda: self.now)


@pytest.mark.parametrize("what", ["patch", "none", "backbone"])
def test_each_save_has_the_bits_of_its_step(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, state, progress = Clock(monkeypatch), create(SMALL, freeze=what), Progress()
    after: dict[int, Any] = {}
    with CheckpointWriter(tmp_path, 5.0, state, progress, 100) as saver:
        for step in range(1, 13):
            train(state, progress)
            saver._end_thread()
            assert checkpoint.saved_step(tmp_path) == ((step - 1) // 5 * 5 or None)
            after[step] = tensors(state), torch.stack(progress.losses)
            clock.now += 1
            saver.on_step(step, STEPS)
    resumed = create(SMALL, freeze=what)
    loaded, _ = checkpoint.load(tmp_path)
    assert loaded is not None
    restored = restore_checkpoint(resumed, loaded)
    expected, losses = after[10]
    found = tensors(resumed)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert torch.equal(torch.stack(restored.losses), losses)


def save_as_version_0_1_0(folder: Path, state: TrainState, progress: Progress) -> None:
    """Write the file that version 0.1.0 wrote: state dicts, pickled, and the selected ones too."""
    models = {name: model.state_dict() for name, model in state.eval_models.items()}
    old = {
        "models": models,
        "optimizer": state.optimizer.state_dict(),
        "scaler": state.scaler.state_dict(),
        "progress": {
            "rows": [{"epoch": 0}],
            "selected": 0,
            "best": (50.0, -1.0),
            "weights": {name: deepcopy(tensors) for name, tensors in models.items()},
            "seconds": 2.0,
            "train_seconds": 1.0,
            "losses": progress.losses,
        },
    }
    file = folder / "step_000000103.pt"
    torch.save(old, file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    file.with_name(f"{file.name}.sha256").write_text(digest)


def test_checkpoint_of_version_0_1_0_continues_in_the_new_format(tmp_path: Path) -> None:
    state, progress = create(SMALL), Progress()
    for _ in range(3):
        train(state, progress)
    save_as_version_0_1_0(tmp_path, state, progress)
    resumed = create(SMALL)
    loaded, damaged = checkpoint.load(tmp_path)
    assert loaded is not None
    assert damaged == []
    restored = restore_checkpoint(resumed, loaded)
    expected, found = tensors(state), tensors(resumed)
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    selected = restored.selected_weights
    assert {name: torch.equal(selected[name], state.flat_weights[name]) for name in selected} == {
        "raw": True,
        "ema": True,
    }
    assert (restored.selected, restored.best, restored.seconds) == (0, (50.0, -1.0), 2.0)
    for one, its in ((state, progress), (resumed, restored)):
        train(one, its)
    assert torch.equal(state.weights.values, resumed.weights.values)
    with CheckpointWriter(tmp_path, 60.0, resumed, restored, 100) as saver:
        saver.save_now()
    assert checkpoint.saved_step(tmp_path) == 104
    assert {path.name for path in tmp_path.iterdir()} == {
        *("step_000000103.pt", "step_000000103.pt.sha256", "selected_0000.safetensors"),
        *("step_000000104.safetensors", "step_000000104.safetensors.sha256"),
    }


def test_one_write_at_a_time_and_training_continues_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, progress, may_write = create(SMALL), Progress(), threading.Event()
    written: list[int] = []
    save = checkpoint.save

    def slow(folder: Path, step: int, *rest: Any) -> None:
        may_write.wait(10)
        written.append(step)
        save(folder, step, *rest)

    monkeypatch.setattr(checkpoint, "save", slow)
    with CheckpointWriter(tmp_path, 0.0, state, progress, 100) as saver:
        train(state, progress)
        saver.on_step(1, STEPS)
        first = tensors(state)
        monkeypatch.setattr("clip_hparam.training.checkpoints.snapshot.RELEASE_SECONDS", 0.01)
        for step in range(2, 6):
            train(state, progress)
            saver.on_step(step, STEPS)
        assert threading.active_count() - 1 == 1
        may_write.set()
        saver._end_thread()
    assert written == [1]
    resumed = create(SMALL)
    loaded, _ = checkpoint.load(tmp_path)
    assert loaded is not None
    restore_checkpoint(resumed, loaded)
    found = tensors(resumed)
    assert all(torch.equal(found[name], first[name]) for name in first)


def test_no_thread_starts_before_the_first_save(tmp_path: Path) -> None:
    state, progress, before = create(SMALL), Progress(), threading.active_count()
    with CheckpointWriter(tmp_path, 60.0, state, progress, 100) as saver:
        for step in range(1, 4):
            train(state, progress)
            saver.on_step(step, STEPS)
        assert threading.active_count() == before
    assert list(tmp_path.iterdir()) == []


def test_evaluation_is_no_gap_between_two_saves_and_the_test_saves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, state, progress = Clock(monkeypatch), create(SMALL), Progress()
    with CheckpointWriter(tmp_path, 5.0, state, progress, 100) as saver:
        train(state, progress)
        saver.on_step(1, STEPS)
        clock.now = 9
        assert not saver.should_stop()
        saver._end_thread()
        assert checkpoint.saved_step(tmp_path) == 1
        train(state, progress)
        saver.end_training()
        clock.now = 100
        assert not saver.should_stop()
        assert saver._thread is None
    assert checkpoint.saved_step(tmp_path) == 1


def test_error_of_a_write_is_raised_at_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(state_file, "open_atomic", full)
    state, progress = create(SMALL), Progress()
    with CheckpointWriter(tmp_path, 0.0, state, progress, 100) as saver:
        saver.on_step(1, STEPS)
        assert saver._thread is not None
        saver._thread.join()
        with pytest.raises(OSError, match="No space left"):
            saver.on_step(2, STEPS)


def test_stop_cancels_the_running_write_and_saves_the_last_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, progress, opened = create(SMALL), Progress(), threading.Event()

    def slow(path: Path) -> Any:
        if threading.current_thread() is not threading.main_thread():
            opened.set()
            assert saver._is_cancelled.wait(10)
        return open_atomic(path)

    monkeypatch.setattr(state_file, "open_atomic", slow)
    with CheckpointWriter(tmp_path, 0.0, state, progress, 100) as saver:
        train(state, progress)
        saver.on_step(1, STEPS)
        assert opened.wait(10)
        monkeypatch.setattr("clip_hparam.training.checkpoints.snapshot.RELEASE_SECONDS", 0.01)
        train(state, progress)
        saver.save_now()
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "step_000000002.safetensors",
        "step_000000002.safetensors.sha256",
    ]
    assert checkpoint.load(tmp_path)[0] is not None


def resident_bytes(field: str) -> int:
    """Return VmRSS, the memory of this process now, or VmHWM, its peak since the last reset."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def test_file_and_extra_memory_of_a_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clip_hparam.training.checkpoints.snapshot.CHUNK_BYTES", 2**20)
    state, progress = create(LARGE, freeze="none"), Progress()
    weights = state.weights.values.nbytes
    row = {"epoch": 0, "selection_acc1.ema": 50.0, "selection_loss.ema": 1.0}
    progress.add_epoch(row, state.flat_weights)
    with CheckpointWriter(tmp_path, 0.0, state, progress, 100) as saver:
        before = resident_bytes("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")
        saver.on_step(1, STEPS)
        saver.release()
        saver._end_thread()
        extra = resident_bytes("VmHWM") - before
    (state_file,) = tmp_path.glob("step_*.safetensors")
    (selected_file,) = tmp_path.glob("selected_*.safetensors")
    assert state_file.stat().st_size < 4.01 * weights
    assert selected_file.stat().st_size < 2.01 * weights
    assert extra <= 2 * weights + 2**23
