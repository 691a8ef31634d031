"""A step never waits for the device: no value is read and no copy blocks, on the meta device."""

from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.data.batches import Batches
from clip_hparam.data.digits import load_digits
from clip_hparam.data.transforms import colours, erasing
from clip_hparam.planning.resolve import resolve
from clip_hparam.training import factory
from clip_hparam.training.callbacks.base import TrialCallback
from clip_hparam.training.engine import StoppedError, train_epoch
from clip_hparam.training.factory import create_model, create_train_state
from clip_hparam.training.train_state import TrainState

META = torch.device("meta")
STEPS, MICRO_BATCHES = 3, 2
RECIPE = {
    "batch_size": 20,
    "epochs": 2,
    "data.epoch_images": 20 * (STEPS + 2),
    "data.selection": 2.0,
    "warmup": 0.0,
    "layer_decay": 0.65,
    "ema_decay": 0.9,
    "drop_path": 0.3,
    "clip_grad": 0.5,
    "mixup": 0.8,
    "cutmix": 1.0,
    "random_erasing": 0.25,
    "color_jitter": 0.3,
}
CONSTANTS = 3  # moved once a process: mean and standard deviation of pixels, the noise field
READS_A_VALUE = {
    *("_local_scalar_dense", "item", "is_nonzero", "equal", "nonzero", "masked_select"),
    *("unique_dim", "_unique2", "unique_consecutive"),
}


class ForbidWaiting(TorchDispatchMode):
    """Raises at an operation for which a host would wait for a GPU; counts copies to the device."""

    def __init__(self) -> None:
        super().__init__()
        self.copies: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        name = func.overloadpacket.__name__
        if name in READS_A_VALUE and args[0].device == META:
            raise AssertionError(f"{func} reads a value")
        if name == "index" and any(i is not None and i.dtype == torch.bool for i in args[1]):
            raise AssertionError(f"{func} reads a mask")
        if name == "_to_copy" and options.get("device", args[0].device) != args[0].device:
            self.check_copy(args[0].device, options["device"], options.get("non_blocking", False))
        if name == "copy_" and args[0].device != args[1].device:
            self.check_copy(args[1].device, args[0].device, bool(args[2:] and args[2]))
        return func(*args, **options)

    def check_copy(self, source: torch.device, target: torch.device, non_blocking: bool) -> None:
        assert non_blocking, f"a copy from {source} to {target} blocks"
        assert target == META, f"a copy from {source} to {target} waits for its values"
        self.copies["to the device"] += 1


class StopAfter(TrialCallback):
    """Stops after a step, before the losses are read."""

    def on_step(self, step: int, total_steps: int) -> None:
        self.step = step

    def should_stop(self) -> bool:
        return self.step == STEPS


def state_on_meta(
    patch: pytest.MonkeyPatch, kernels: str, **knobs: Any
) -> tuple[TrainState, Batches]:
    patch.setattr(factory, "device_of", lambda machine, rank=0: META)
    recipe = resolve(with_values(Recipe(), {**RECIPE, **knobs}))
    machine = Machine(micro_batch=20 // MICRO_BATCHES, kernels=kernels)
    state = create_train_state(recipe, machine, create_model(recipe, 10))
    assert {parameter.device for parameter in state.model.parameters()} == {META}
    return state, Batches(recipe, load_digits(), device=META)


@pytest.mark.parametrize("kernels", ["reference", "fused"])
def test_step_with_all_options_never_waits(kernels: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for constants in (colours._normalization_affine, erasing._noise_field):
        constants.cache_clear()
    state, batches = state_on_meta(monkeypatch, kernels)
    assert state.model.drop_paths
    losses: list[Tensor] = []
    with ForbidWaiting() as mode, pytest.raises(StoppedError):
        train_epoch(state, batches, 0, 0, StopAfter(), losses)
    assert len(losses) == STEPS
    assert {loss.device for loss in losses} == {META}
    # the images of each step; of the epoch: labels, augmentation and drop-path draws; constants
    assert mode.copies["to the device"] == STEPS + 3 + CONSTANTS


def test_augmentation_of_a_step_never_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    _, batches = state_on_meta(monkeypatch, "fused", rand_augment="rand-m9-mstd0.5-inc1")
    with ForbidWaiting():
        images, targets = next(batches.train(0))
    assert images.device == targets.device == META
    assert images.shape == (20, 3, 32, 32)


def test_mode_detects_reads_and_blocking_copies() -> None:
    on_meta, on_cpu = torch.zeros(3, device=META), torch.zeros(3)
    with ForbidWaiting():
        on_cpu.to(META, non_blocking=True)
        for wait in (
            lambda: float(on_meta.sum()),
            lambda: on_cpu.to(META),
            lambda: on_meta.copy_(on_cpu),
            lambda: on_meta[on_meta > 0],
            lambda: on_meta.nonzero(),
        ):
            with pytest.raises(AssertionError):
                wait()
