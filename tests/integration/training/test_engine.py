"""One step is one step: however the batch is cut, in any precision, with its EMA and its lr."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Data, Recipe
from clip_hparam.data.transforms.mixup import soft_targets
from clip_hparam.model.classifier import Classifier, freeze, set_drop_path
from clip_hparam.model.weights import create_tower
from clip_hparam.training.engine import (
    AUTOCAST_DTYPES,
    DivergedError,
    TrainState,
    evaluate,
    train_epoch,
    train_step,
)
from clip_hparam.training.factory import INITIAL_LOSS_SCALE, create_ema, create_train_state

CLASSES, BATCH, STEPS = 5, 8, 4
VISION = {"image_size": 8, "patch_size": 4, "width": 16, "layers": 2, "head_width": 8}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def fit(dtype: torch.dtype = torch.float64, micro_batch: int = 0, **knobs: Any) -> TrainState:
    """A small model in training; the same weights at each call."""
    given = {"lr": 1e-2, "warmup": 0.0, "epochs": 40, "batch_size": BATCH, **knobs}
    recipe = Recipe(**given, data=Data(epoch_images=BATCH * STEPS))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        tower = create_tower({"embed_dim": 8, "vision_cfg": VISION, "quick_gelu": True})
        model = Classifier(tower, CLASSES)
    set_drop_path(model, recipe.drop_path)
    freeze(model, recipe.freeze)
    return create_train_state(
        recipe, Machine(device="cpu", micro_batch=micro_batch), model.to(dtype).train()
    )


def batch(step: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    """Images, soft targets and drop-path draws."""
    generator = torch.Generator().manual_seed(step)
    images = torch.randn(BATCH, 3, 8, 8, generator=generator, dtype=dtype)
    labels = torch.randint(CLASSES, (BATCH,), generator=generator)
    return images, soft_targets(labels, CLASSES, 0.1).to(dtype), torch.rand(BATCH, 2)


def trained(one: TrainState, steps: int = STEPS, dtype: torch.dtype = torch.float64) -> list[float]:
    torch.manual_seed(7)
    return [float(train_step(one, step, *batch(step, dtype))) for step in range(steps)]


def weights(model: torch.nn.Module) -> Tensor:
    return torch.cat([tensor.detach().flatten() for tensor in model.state_dict().values()])


@pytest.mark.parametrize("micro_batch", [1, 2, 4])
def test_accumulated_micro_batches_are_one_batch(micro_batch: int) -> None:
    knobs = {"ema_decay": 0.9, "drop_path": 0.3, "clip_grad": 0.5, "freeze": "none"}
    whole, cut = fit(**knobs), fit(micro_batch=micro_batch, **knobs)
    np.testing.assert_allclose(trained(cut), trained(whole), rtol=0, atol=1e-12)
    assert whole.ema is not None
    assert cut.ema is not None
    torch.testing.assert_close(weights(cut.model), weights(whole.model), rtol=0, atol=1e-10)
    torch.testing.assert_close(
        weights(cut.ema.module), weights(whole.ema.module), rtol=0, atol=1e-10
    )


def test_training_moves_the_loss_down_and_frozen_weights_not_at_all() -> None:
    one = fit(freeze="patch")
    before = one.model.conv1.weight.detach().clone()
    losses = [float(train_step(one, step, *batch(0))) for step in range(20)]
    assert losses[-1] < 0.9 * losses[0]
    assert torch.equal(one.model.conv1.weight, before)


def test_each_group_learns_at_its_scale_of_the_schedule() -> None:
    one = fit(layer_decay=0.5)
    for step in range(3):
        train_step(one, step, *batch(step))
        for group in one.optimizer.param_groups:
            assert group["lr"] == one.schedule[step] * group["lr_scale"]
    assert len({group["lr"] for group in one.optimizer.param_groups}) == 4


def test_the_ema_of_a_constant_is_approached_by_its_closed_form() -> None:
    model = fit().model
    start = weights(model)
    ema = create_ema(model, 0.9)
    assert ema is not None
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    for _ in range(5):
        ema.update(model)
    torch.testing.assert_close(weights(ema.module), start + (1 - 0.9**5))


@pytest.mark.parametrize("micro_batch", [0, 2])
def test_the_ema_moves_once_an_optimiser_step(micro_batch: int) -> None:
    one = fit(ema_decay=0.9, micro_batch=micro_batch)
    average = weights(one.model)
    assert one.ema is not None
    for step in range(STEPS):
        train_step(one, step, *batch(step))
        average = 0.9 * average + 0.1 * weights(one.model)
        torch.testing.assert_close(weights(one.ema.module), average)


def test_no_ema_is_kept_where_its_decay_is_zero() -> None:
    assert fit(ema_decay=0.0).ema is None


@pytest.mark.parametrize("precision", AUTOCAST_DTYPES)
def test_clipping_bounds_the_gradient_that_the_optimiser_sees(precision: str) -> None:
    norms = []
    for limit in (0.0, 0.01):
        one = fit(torch.float32, precision=precision, clip_grad=limit)
        train_step(one, 0, *batch(0, torch.float32))
        moments = [state["exp_avg"].flatten() for state in one.optimizer.state.values()]
        norms.append(float(torch.cat(moments).norm()) / (1 - Recipe().beta1))
    assert norms[0] > 0.1
    assert norms[1] == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("precision", AUTOCAST_DTYPES)
def test_a_step_in_any_precision_is_close_to_fp32_and_keeps_fp32_weights(precision: str) -> None:
    exact, other = fit(torch.float32), fit(torch.float32, precision=precision, ema_decay=0.9)
    with other.autocast():
        assert other.model(batch(0, torch.float32)[0]).dtype == AUTOCAST_DTYPES[precision]
    expected = trained(exact, dtype=torch.float32)
    np.testing.assert_allclose(trained(other, dtype=torch.float32), expected, rtol=0.02)
    assert {p.dtype for p in other.model.parameters()} == {torch.float32}
    assert other.ema is not None
    assert {p.dtype for p in other.ema.module.parameters()} == {torch.float32}
    assert (precision == "fp32") == torch.equal(weights(exact.model), weights(other.model))


def test_only_fp16_scales_its_loss() -> None:
    enabled = {
        name: fit(torch.float32, precision=name).scaler.is_enabled() for name in AUTOCAST_DTYPES
    }
    assert enabled == {"fp32": False, "bf16": False, "fp16": True}


def test_the_loss_scale_starts_at_128_and_doubles_after_128_clean_steps() -> None:
    one = fit(torch.float32, precision="fp16")
    scales = []
    for step in range(129):
        scales.append(one.scaler.get_scale())
        train_step(one, step, *batch(0, torch.float32))
    assert INITIAL_LOSS_SCALE == 128
    assert scales == [128.0] * 128 + [256.0]


def test_an_overflow_skips_the_step_halves_the_scale_and_still_counts_for_the_ema() -> None:
    one = fit(torch.float32, precision="fp16", ema_decay=0.5)
    train_step(one, 0, *batch(0, torch.float32))
    assert one.ema is not None
    before, average = weights(one.model), weights(one.ema.module)
    images, targets, draws = batch(1, torch.float32)
    train_step(one, 1, images * 1e30, targets, draws)
    assert one.scaler.get_scale() == INITIAL_LOSS_SCALE / 2
    assert torch.equal(weights(one.model), before)
    torch.testing.assert_close(weights(one.ema.module), (average + before) / 2)


@dataclasses.dataclass
class FixedBatches:
    """What train_epoch needs of data.Batches; the loss is NaN at step `bad`."""

    bad: int = -1
    steps: int = 30
    draws: int = 30 * BATCH

    def train(self, epoch: int, first: int = 0) -> Any:
        for step in range(first, self.steps):
            images, targets, _ = batch(step)
            yield images * (float("nan") if step == self.bad else 1.0), targets


@pytest.mark.parametrize("bad", [0, 19, 20, 29])
def test_a_loss_that_is_not_finite_ends_the_epoch_and_names_the_step(bad: int) -> None:
    with pytest.raises(DivergedError, match=rf"diverged at step {30 + bad}: the loss is nan; try"):
        train_epoch(fit(), FixedBatches(bad), 1, 0, lambda step: None)  # type: ignore[arg-type]


def test_an_epoch_reports_each_step_and_the_mean_loss() -> None:
    steps: list[int] = []
    mean = train_epoch(fit(), FixedBatches(), 1, 0, steps.append)  # type: ignore[arg-type]
    assert steps == list(range(31, 61))
    again = fit()
    expected = [
        float(train_step(again, 30 + step, *batches))
        for step, batches in enumerate(FixedBatches().train(1))
    ]
    assert mean == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("size", [1, 3, 100])
def test_an_evaluation_counts_each_image_once_and_drops_and_smooths_nothing(size: int) -> None:
    one = fit(torch.float32, drop_path=0.9)
    trained(one, 1, torch.float32)
    for path in one.model.drop_paths:
        path.draws = torch.zeros(1)  # left over from training
    images, labels = torch.randn(10, 3, 8, 8), torch.arange(10) % CLASSES
    scores = evaluate(one.model, zip(images.split(size), labels.split(size), strict=True), one)
    with torch.no_grad():
        logits = one.model.eval()(images)
    right = (logits.argmax(1) == labels).numpy()
    np.testing.assert_array_equal(scores.top1_correct, right)
    assert scores.acc1 == pytest.approx(100 * right.mean())
    assert scores.acc5 == 100
    assert scores.loss == pytest.approx(
        float(torch.nn.CrossEntropyLoss()(logits, labels)), rel=1e-5
    )


def test_an_evaluation_leaves_the_mode_as_it_was() -> None:
    one = fit(torch.float32)
    for mode in (True, False):
        one.model.train(mode)
        evaluate(one.model, [(torch.zeros(2, 3, 8, 8), torch.zeros(2, dtype=torch.long))], one)
        assert one.model.training == mode
