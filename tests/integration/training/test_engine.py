"""Training steps, epochs and evaluations: micro-batches, precision, EMA, learning rates, losses."""

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
from clip_hparam.model.tower import create_tower
from clip_hparam.training.callbacks.base import TrialCallback
from clip_hparam.training.engine import DivergedError, StoppedError, train_epoch, train_step
from clip_hparam.training.evaluation import evaluate, evaluate_models
from clip_hparam.training.factory import INITIAL_LOSS_SCALE, create_ema, create_train_state
from clip_hparam.training.train_state import AUTOCAST_DTYPES, TrainState

CLASSES, BATCH, STEPS = 5, 8, 4
LOGITS = {"fp32": torch.float32, **AUTOCAST_DTYPES}
VISION = {"image_size": 8, "patch_size": 4, "width": 16, "layers": 2, "head_width": 8}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def create_state(
    dtype: torch.dtype = torch.float64, micro_batch: int = 0, **knobs: Any
) -> TrainState:
    """Return a small model in training; each call returns the same weights."""
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


def trained(
    state: TrainState, steps: int = STEPS, dtype: torch.dtype = torch.float64
) -> list[float]:
    torch.manual_seed(7)
    return [float(train_step(state, step, *batch(step, dtype))) for step in range(steps)]


def weights(model: torch.nn.Module) -> Tensor:
    return torch.cat([tensor.detach().flatten() for tensor in model.state_dict().values()])


@pytest.mark.parametrize("micro_batch", [1, 2, 4])
def test_micro_batches_equal_the_whole_batch(micro_batch: int) -> None:
    knobs = {"ema_decay": 0.9, "drop_path": 0.3, "clip_grad": 0.5, "freeze": "none"}
    whole, cut = create_state(**knobs), create_state(micro_batch=micro_batch, **knobs)
    np.testing.assert_allclose(trained(cut), trained(whole), rtol=0, atol=1e-12)
    assert whole.ema is not None
    assert cut.ema is not None
    torch.testing.assert_close(weights(cut.model), weights(whole.model), rtol=0, atol=1e-10)
    torch.testing.assert_close(
        weights(cut.ema.module), weights(whole.ema.module), rtol=0, atol=1e-10
    )


def test_training_reduces_the_loss_and_leaves_frozen_weights_unchanged() -> None:
    state = create_state(freeze="patch")
    before = state.model.conv1.weight.detach().clone()
    losses = [float(train_step(state, step, *batch(0))) for step in range(20)]
    assert losses[-1] < 0.9 * losses[0]
    assert torch.equal(state.model.conv1.weight, before)


def test_group_lr_is_the_schedule_times_its_scale() -> None:
    state = create_state(layer_decay=0.5)
    for step in range(3):
        train_step(state, step, *batch(step))
        for group in state.optimizer.param_groups:
            assert group["lr"] == state.schedule[step] * group["lr_scale"]
    assert len({group["lr"] for group in state.optimizer.param_groups}) == 4


def test_ema_of_constant_weights_matches_its_closed_form() -> None:
    state = create_state(freeze="none")
    model = state.model
    start = weights(model)
    ema = create_ema(model, state.weights, 0.9)
    assert ema is not None
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    for _ in range(5):
        ema.update()
    torch.testing.assert_close(weights(ema.module), start + (1 - 0.9**5))


@pytest.mark.parametrize("micro_batch", [0, 2])
def test_ema_is_updated_once_per_optimiser_step(micro_batch: int) -> None:
    state = create_state(ema_decay=0.9, micro_batch=micro_batch)
    average = weights(state.model)
    assert state.ema is not None
    for step in range(STEPS):
        train_step(state, step, *batch(step))
        average = 0.9 * average + 0.1 * weights(state.model)
        torch.testing.assert_close(weights(state.ema.module), average)


def test_no_ema_with_zero_decay() -> None:
    assert create_state(ema_decay=0.0).ema is None


@pytest.mark.parametrize("precision", LOGITS)
def test_clipping_bounds_the_gradient_norm(precision: str) -> None:
    norms = []
    for limit in (0.0, 0.01):
        state = create_state(torch.float32, precision=precision, clip_grad=limit)
        train_step(state, 0, *batch(0, torch.float32))
        moments = [entry["exp_avg"].flatten() for entry in state.optimizer.state.values()]
        norms.append(float(torch.cat(moments).norm()) / (1 - Recipe().beta1))
    assert norms[0] > 0.1
    assert norms[1] == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("precision", LOGITS)
def test_steps_in_any_precision_are_close_to_fp32_and_keep_fp32_weights(precision: str) -> None:
    exact, other = (
        create_state(torch.float32),
        create_state(torch.float32, precision=precision, ema_decay=0.9),
    )
    with other.autocast():
        assert other.model(batch(0, torch.float32)[0]).dtype == LOGITS[precision]
    expected = trained(exact, dtype=torch.float32)
    np.testing.assert_allclose(trained(other, dtype=torch.float32), expected, rtol=0.02)
    assert {p.dtype for p in other.model.parameters()} == {torch.float32}
    assert other.ema is not None
    assert {p.dtype for p in other.ema.module.parameters()} == {torch.float32}
    assert (precision == "fp32") == torch.equal(weights(exact.model), weights(other.model))


def test_only_fp16_scales_the_loss() -> None:
    enabled = {
        name: create_state(torch.float32, precision=name).scaler.is_enabled() for name in LOGITS
    }
    assert enabled == {"fp32": False, "bf16": False, "fp16": True}


def test_loss_scale_starts_at_128_and_doubles_after_128_finite_steps() -> None:
    state = create_state(torch.float32, precision="fp16")
    scales = []
    for step in range(129):
        scales.append(state.scaler.get_scale())
        train_step(state, step, *batch(0, torch.float32))
    assert INITIAL_LOSS_SCALE == 128
    assert scales == [128.0] * 128 + [256.0]


def test_overflow_skips_the_step_halves_the_scale_and_updates_the_ema() -> None:
    state = create_state(torch.float32, precision="fp16", ema_decay=0.5)
    train_step(state, 0, *batch(0, torch.float32))
    assert state.ema is not None
    before, average = weights(state.model), weights(state.ema.module)
    images, targets, draws = batch(1, torch.float32)
    train_step(state, 1, images * 1e30, targets, draws)
    assert state.scaler.get_scale() == INITIAL_LOSS_SCALE / 2
    assert torch.equal(weights(state.model), before)
    torch.testing.assert_close(weights(state.ema.module), (average + before) / 2)


@dataclasses.dataclass
class FixedBatches:
    """A substitute for data.batches.Batches; the loss is NaN at step `bad`."""

    bad: int = -1
    steps: int = 30
    draws: int = 30 * BATCH

    def train(self, epoch: int, first: int = 0) -> Any:
        for step in range(first, self.steps):
            images, targets, _ = batch(step)
            yield images * (float("nan") if step == self.bad else 1.0), targets


@dataclasses.dataclass
class StepRecorder(TrialCallback):
    """Records each step, and stops the epoch after a step."""

    last: int = -1
    steps: list[tuple[int, int]] = dataclasses.field(default_factory=list)

    def on_step(self, step: int, total_steps: int) -> None:
        self.steps.append((step, total_steps))

    def should_stop(self) -> bool:
        return self.steps[-1][0] == self.last


@pytest.mark.parametrize("bad", [0, 19, 20, 29])
def test_nonfinite_loss_raises_with_its_step(bad: int) -> None:
    with pytest.raises(DivergedError, match=rf"diverged at step {30 + bad}: the loss is nan; try"):
        train_epoch(create_state(), FixedBatches(bad), 1, 0)  # type: ignore[arg-type]


def test_epoch_calls_the_callback_each_step_and_returns_the_mean_loss() -> None:
    callback = StepRecorder()
    mean = train_epoch(create_state(), FixedBatches(), 1, 0, callback)  # type: ignore[arg-type]
    assert callback.steps == [(step, 160) for step in range(31, 61)]
    again = create_state()
    expected = [
        float(train_step(again, 30 + step, *batches))
        for step, batches in enumerate(FixedBatches().train(1))
    ]
    assert mean == pytest.approx(np.mean(expected))


def test_stopped_epoch_continues_from_its_losses() -> None:
    whole, stopped = create_state(), create_state()
    mean = train_epoch(whole, FixedBatches(), 1, 0)  # type: ignore[arg-type]
    losses: list[Tensor] = []
    arguments = (stopped, FixedBatches(), 1, 0)
    with pytest.raises(StoppedError):
        train_epoch(*arguments, StepRecorder(last=45), losses)  # type: ignore[arg-type]
    assert len(losses) == 15
    assert train_epoch(*arguments, StepRecorder(), losses) == mean  # type: ignore[arg-type]
    assert torch.equal(weights(stopped.model), weights(whole.model))


@pytest.mark.parametrize("size", [1, 3, 100])
def test_evaluation_counts_each_image_once_without_drop_path_or_smoothing(size: int) -> None:
    state = create_state(torch.float32, drop_path=0.9)
    trained(state, 1, torch.float32)
    for path in state.model.drop_paths:
        path.draws = torch.zeros(1)  # as after a training step
    images, labels = torch.randn(10, 3, 8, 8), torch.arange(10) % CLASSES
    scores = evaluate(state.model, zip(images.split(size), labels.split(size), strict=True), state)
    with torch.no_grad():
        logits = state.model.eval()(images)
    right = (logits.argmax(1) == labels).numpy()
    np.testing.assert_array_equal(scores.top1_correct, right)
    assert scores.acc1 == pytest.approx(100 * right.mean())
    assert scores.acc5 == 100
    assert scores.loss == pytest.approx(
        float(torch.nn.CrossEntropyLoss()(logits, labels)), rel=1e-5
    )


def test_evaluation_restores_the_training_mode() -> None:
    state = create_state(torch.float32)
    for mode in (True, False):
        state.model.train(mode)
        evaluate(state.model, [(torch.zeros(2, 3, 8, 8), torch.zeros(2, dtype=torch.long))], state)
        assert state.model.training == mode


def test_models_evaluated_together_score_as_alone_and_share_the_images() -> None:
    state = create_state(torch.float32, ema_decay=0.5)
    trained(state, 3, torch.float32)
    images, labels = torch.randn(10, 3, 8, 8), torch.arange(10) % CLASSES
    read = []

    def batches() -> Any:
        for one in zip(images.split(4), labels.split(4), strict=True):
            read.append(len(one[0]))
            yield one

    together = evaluate_models(state.eval_models, batches(), state)
    assert read == [4, 4, 2]
    assert list(together) == ["raw", "ema"]
    for name, model in state.eval_models.items():
        alone = evaluate(model, batches(), state)
        assert (together[name].loss, together[name].acc5) == (alone.loss, alone.acc5)
        np.testing.assert_array_equal(together[name].top1_correct, alone.top1_correct)
    assert together["raw"].loss != together["ema"].loss
