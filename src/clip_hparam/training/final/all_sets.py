"""Evaluate models on all sets of a trial, with every metric that a trial reports."""

from collections.abc import Mapping
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import nn

from clip_hparam.data.batches import Batches
from clip_hparam.data.dataset import SELECTION, Indices
from clip_hparam.training.callbacks.base import NO_CALLBACK, TrialCallback
from clip_hparam.training.engine import until_stopped
from clip_hparam.training.evaluation import Detail, EvalResult, evaluate_models
from clip_hparam.training.final.set_models import divide_logits, models_for_set
from clip_hparam.training.metrics.predictions import UNSCALED
from clip_hparam.training.metrics.temperature import fit_temperature
from clip_hparam.training.train_state import TrainState

SetResults = dict[str, dict[str, EvalResult]]
"""By evaluation set, then by model."""


def evaluate_sets(
    models: Mapping[str, nn.Module],
    batches: Batches,
    state: TrainState,
    callback: TrialCallback = NO_CALLBACK,
    *,
    held_out: Indices | None = None,
    temperature: float = UNSCALED,
) -> SetResults:
    """Evaluate all models on all sets; the selection set first, which gives their temperatures.

    held_out: positions among the training images of the data set that replace the selection set.
    temperature: divides the logits of the trained head first, not those of zero-shot sets.
    """
    divided = divide_logits(models, temperature)
    selection = _evaluate_selection(divided, batches, state, callback, held_out)
    temperatures = {
        name: result.predictions.temperature
        for name, result in selection.items()
        if result.predictions
    }
    sets = {SELECTION: selection}
    for name, eval_set in batches.eval_sets.items():
        if name != SELECTION:
            allowed = eval_set.allowed_classes
            mask = None if allowed is None else torch.from_numpy(allowed)
            of_set, classes = models_for_set(eval_set, models, batches)
            if not eval_set.zero_shot:
                of_set = divide_logits(of_set, temperature)
            # the temperature is that of the trained head
            detail = Detail(classes, {} if eval_set.zero_shot else temperatures)
            read = until_stopped(batches.evaluation(name), callback)
            sets[name] = evaluate_models(of_set, read, state, mask, detail)
    return sets


def _evaluate_selection(
    models: Mapping[str, nn.Module],
    batches: Batches,
    state: TrainState,
    callback: TrialCallback,
    held_out: Indices | None,
) -> dict[str, EvalResult]:
    """Return the results on the selection set, with the temperature that is fitted to each."""
    detail = Detail(batches.classes, keep_logits=True)
    images = batches.evaluation(SELECTION) if held_out is None else batches.plain_train(held_out)
    results = evaluate_models(models, until_stopped(images, callback), state, detail=detail)
    return {name: _with_temperature(result) for name, result in results.items()}


def _with_temperature(result: EvalResult) -> EvalResult:
    """Return a result of the selection set with the temperature that is fitted to it."""
    assert result.predictions is not None
    assert result.logits is not None
    labels = torch.from_numpy(result.predictions.labels)
    temperature = fit_temperature(result.logits, labels)
    losses = F.cross_entropy(result.logits / temperature, labels, reduction="none").numpy()
    scaled = replace(result.predictions, tempered_losses=losses, temperature=temperature)
    return replace(result, predictions=scaled, logits=None)
