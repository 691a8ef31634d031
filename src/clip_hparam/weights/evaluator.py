"""Evaluate given weights on the sets of a trial, with the kernels that trained them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

from torch import Tensor

from clip_hparam.config.knob import AUTO
from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import knobs, with_values
from clip_hparam.config.resolved_recipe import ResolvedRecipe, as_resolved
from clip_hparam.data.batches import Batches
from clip_hparam.data.dataset import SELECTION, Indices
from clip_hparam.data.datasets import load_dataset
from clip_hparam.records.record import Record
from clip_hparam.training.checkpoints.progress import detail_columns, metric_columns
from clip_hparam.training.device.numerics import device_of, numerics_of, read_numerics
from clip_hparam.training.evaluation import EvalResult, evaluate
from clip_hparam.training.factory import create_model, create_train_state
from clip_hparam.training.final.all_sets import evaluate_sets
from clip_hparam.training.final.results import eval_set_facts
from clip_hparam.training.metrics.predictions import UNSCALED
from clip_hparam.weights.recorded_sets import recorded_sets
from clip_hparam.weights.stored import StoredWeights

PLAIN_KNOBS = ("tune", "lora_rank", "lora_alpha", "logit_scale", "ema_decay")
"""Knobs of training that plain weights do not have; an evaluation has their defaults."""
UNTRAINED = ".zero_shot"
"""End of the metric columns that do not depend on training."""


class Evaluator:
    """A model of a trial's architecture that takes weights by name, and the trial's sets.

    held_out: positions among the training images of the data set that replace the selection set.
    others: further trials, whose sets of `eval_sets` are evaluated too.
    """

    def __init__(
        self,
        stored: StoredWeights,
        device: str = AUTO,
        held_out: Indices | None = None,
        others: Sequence[StoredWeights] = (),
    ) -> None:
        recipe = stored.recipe
        machine = Machine(device=device)
        attempts = read_numerics(stored.record.status())
        numerics = attempts[-1] if attempts else numerics_of(recipe, machine)
        replace(numerics, compile=False).apply()
        target = device_of(machine)
        dataset = load_dataset(recipe.data)
        further = recorded_sets([member.record for member in (stored, *others)], dataset)
        dataset = replace(dataset, eval_sets={**dataset.eval_sets, **further})
        self.batches = Batches(recipe, dataset, AUTO, device=target)
        self.weights, self.when, self.held_out = stored.weights, stored.when, held_out
        self.untrained = _untrained_columns(stored.record)
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

    def metrics(
        self, tensors: Mapping[str, Tensor], temperature: float = UNSCALED
    ) -> dict[str, float | None]:
        """Return the metric columns of result.json on all sets.

        temperature: divides the logits of the head first.
        """
        self._load(tensors)
        models = {self.weights: self.state.model}
        sets = evaluate_sets(
            *(models, self.batches, self.state), held_out=self.held_out, temperature=temperature
        )
        columns: dict[str, float | None] = {}
        for name, scores in sets.items():
            score = scores[self.weights]
            columns |= metric_columns(name, self.weights, score)
            columns |= detail_columns(name, self.weights, score)
        return {
            f"{column}.{self.when}": value for column, value in columns.items()
        } | self.untrained

    @property
    def facts(self) -> dict[str, Any]:
        """Facts of a derived result: the epoch of the weights, and the sets of `eval_sets`."""
        return {"when": self.when, **eval_set_facts(self.batches.eval_sets)}

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
    stored: StoredWeights,
    device: str = AUTO,
    held_out: Indices | None = None,
    others: Sequence[StoredWeights] = (),
) -> Iterator[Evaluator]:
    """Create an Evaluator, and close it after the `with` block."""
    with closing(Evaluator(stored, device, held_out, others)) as evaluator:
        yield evaluator


def _untrained_columns(record: Record) -> dict[str, float | None]:
    """Return the columns of a trial that CLIP has before fine-tuning."""
    metrics = (record.result() or {}).get("metrics", {})
    return {name: value for name, value in metrics.items() if name.endswith(UNTRAINED)}


def plain_recipe(recipe: ResolvedRecipe) -> ResolvedRecipe:
    """Return the recipe of a model whose updates and logit scale are merged, without an EMA."""
    return as_resolved(with_values(recipe, {name: knobs()[name].default for name in PLAIN_KNOBS}))
