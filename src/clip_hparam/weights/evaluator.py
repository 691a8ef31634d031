"""Evaluate given weights on the sets of a trial, with the kernels that trained them."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from clip_hparam.config.knob import AUTO
from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import knobs, with_values
from clip_hparam.config.resolved_recipe import ResolvedRecipe, as_resolved
from clip_hparam.data.batches import Batches
from clip_hparam.data.dataset import SELECTION, Indices
from clip_hparam.data.datasets import load_dataset
from clip_hparam.training.checkpoints.progress import metric_columns
from clip_hparam.training.compilation.modules import run_eagerly
from clip_hparam.training.device.numerics import device_of, numerics_of, read_numerics
from clip_hparam.training.evaluation import EvalResult, evaluate
from clip_hparam.training.factory import create_model, create_train_state
from clip_hparam.weights.stored import StoredWeights

PLAIN_KNOBS = ("tune", "lora_rank", "lora_alpha", "logit_scale", "ema_decay")
"""Knobs of training that plain weights do not have; an evaluation has their defaults."""


class Evaluator:
    """A model of a trial's architecture that takes weights by name, and the trial's sets.

    held_out: positions among the training images of the data set that replace the selection set.
    """

    def __init__(
        self, stored: StoredWeights, device: str = AUTO, held_out: Indices | None = None
    ) -> None:
        recipe = stored.recipe
        machine = Machine(device=device)
        attempts = read_numerics(stored.record.status())
        numerics = attempts[-1] if attempts else numerics_of(recipe, machine)
        replace(numerics, compile=False).apply()
        target = device_of(machine)
        self.batches = Batches(recipe, load_dataset(recipe.data), AUTO, device=target)
        self.weights, self.when, self.held_out = stored.weights, stored.when, held_out
        model = create_model(recipe, self.batches.classes, target)
        self.start = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        kernels = replace(numerics, compile=False).kernel_choice
        self.state = create_train_state(
            plain_recipe(recipe), machine, model, kernels=kernels, micro_batch=0
        )

    def selection(self, tensors: Mapping[str, Tensor]) -> EvalResult:
        """Return the result on the selection set, or on the held-out images."""
        self._load(tensors)
        return evaluate(self.state.model, self._images(SELECTION), self.state)

    def metrics(self, tensors: Mapping[str, Tensor]) -> dict[str, float | None]:
        """Return the metric columns of result.json on all sets."""
        self._load(tensors)
        columns: dict[str, float | None] = {}
        for name, eval_set in self.batches.eval_sets.items():
            allowed = eval_set.allowed_classes
            mask = None if allowed is None else torch.from_numpy(allowed)
            score = evaluate(self.state.model, self._images(name), self.state, mask)
            columns |= metric_columns(name, self.weights, score)
        return {f"{column}.{self.when}": value for column, value in columns.items()}

    @torch.no_grad()
    def logits(self, tensors: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
        """Return logits, float32, and labels of a set, on the CPU."""
        self._load(tensors)
        model = self.state.model.eval()
        parts = []
        for images, labels in self._images(name):
            with self.state.autocast(), run_eagerly():
                parts.append((model(images).float().cpu(), labels.cpu()))
        logits, labels = map(torch.cat, zip(*parts, strict=True))
        return logits, labels

    def close(self) -> None:
        """End the processes that read images."""
        self.batches.close()

    def _images(self, name: str) -> Iterator[tuple[Tensor, Tensor]]:
        if name == SELECTION and self.held_out is not None:
            return self.batches.plain_train(self.held_out)
        return self.batches.evaluation(name)

    def _load(self, tensors: Mapping[str, Tensor]) -> None:
        self.state.model.load_state_dict(tensors)


@contextmanager
def open_evaluator(
    stored: StoredWeights, device: str = AUTO, held_out: Indices | None = None
) -> Iterator[Evaluator]:
    """Create an Evaluator, and close it after the `with` block."""
    with closing(Evaluator(stored, device, held_out)) as evaluator:
        yield evaluator


def plain_recipe(recipe: ResolvedRecipe) -> ResolvedRecipe:
    """Return the recipe of a model whose updates and logit scale are merged, without an EMA."""
    return as_resolved(with_values(recipe, {name: knobs()[name].default for name in PLAIN_KNOBS}))
