"""A short trial in float64, so that what several ranks make of it can be compared to rounding."""

from typing import Any

import numpy as np
import torch

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.data.batches import Batches
from clip_hparam.data.digits import load_digits
from clip_hparam.distributed import DistributedContext
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.engine import train_epoch
from clip_hparam.training.evaluation import evaluate
from clip_hparam.training.factory import create_model, create_train_state

BATCH, CLASSES = 24, 10
RECIPE = {  # all that draws a random number or keeps a state
    "batch_size": BATCH,
    "epochs": 2,
    "data.epoch_images": 2 * BATCH,
    "data.selection": 10.0,
    "lr": 1e-2,
    "warmup": 0.0,
    "layer_decay": 0.7,
    "ema_decay": 0.5,
    "drop_path": 0.3,
    "clip_grad": 0.5,
    "mixup": 0.8,
    "cutmix": 1.0,
    "random_erasing": 0.5,
    "color_jitter": 0.4,
    "label_smoothing": 0.1,
}


class Doubled(Batches):
    """Batches in float64."""

    def train(self, epoch: int, first: int = 0) -> Any:
        for images, targets in super().train(epoch, first):
            yield images.double(), targets.double()

    def evaluation(self, name: str, resolution: int = 0) -> Any:
        for images, labels in super().evaluation(name, resolution):
            yield images.double(), labels


def trained(ranks: DistributedContext, micro_batch: int = 0) -> dict[str, Any]:
    """Losses, weights and scores of a run in float64, as one rank has them."""
    recipe = resolve(with_values(Recipe(), RECIPE))
    machine = Machine(device="cpu", micro_batch=micro_batch)
    fit = create_train_state(recipe, machine, create_model(recipe, CLASSES).double(), ranks)
    batches = Doubled(recipe, load_digits(), context=ranks)
    losses = [train_epoch(fit, batches, epoch, 0) for epoch in range(2)]
    assert fit.ema is not None
    scores = evaluate(fit.ema.module, batches.evaluation("test"), fit)
    return {
        "losses": losses,
        "raw": weights(fit.model),
        "ema": weights(fit.ema.module),
        "loss": scores.loss,
        "right": np.stack([scores.top1_correct, scores.top5_correct]),
    }


def weights(model: torch.nn.Module) -> Any:
    return torch.cat([tensor.flatten() for tensor in model.state_dict().values()]).numpy()


def assert_same(one: Any, alone: Any) -> None:
    """Assert that the outcome of a rank equals that of a trial in one process."""
    np.testing.assert_allclose(one["losses"], alone["losses"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(one["raw"], alone["raw"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(one["ema"], alone["ema"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(one["loss"], alone["loss"], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(one["right"], alone["right"])
