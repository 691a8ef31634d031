"""Evaluate the weights of the selected and of the last epoch on all sets of a trial."""

from dataclasses import replace

import torch
import torch.nn.functional as F

from clip_hparam.data.batches import Batches
from clip_hparam.data.dataset import SELECTION
from clip_hparam.training.callbacks.base import NO_CALLBACK, TrialCallback
from clip_hparam.training.checkpoints.progress import Progress, copy_to_host
from clip_hparam.training.engine import StoppedError, until_stopped
from clip_hparam.training.evaluation import Detail, EvalResult, evaluate_models
from clip_hparam.training.final.set_models import models_for_set
from clip_hparam.training.metrics.temperature import fit_temperature
from clip_hparam.training.train_state import TrainState

EvalResults = dict[tuple[str, str, str], EvalResult]
"""By evaluation set, weights ("raw", "ema") and epoch ("selected", "last")."""


def evaluate_selected_and_last(
    state: TrainState, batches: Batches, progress: Progress, callback: TrialCallback = NO_CALLBACK
) -> EvalResults:
    """Evaluate the weights of the selected and of the last epoch on all sets of the data set.

    The models hold the selected weights afterwards.

    Raises: StoppedError if the callback stops the trial; the models then hold the last weights.
    """
    last = copy_to_host(state.flat_weights) if state.context.is_main else {}
    try:
        return _evaluate_both(state, batches, progress, callback)
    except StoppedError:
        for name, flat in state.flat_weights.items():
            flat.copy_(last[name])
        raise


def _evaluate_both(
    state: TrainState, batches: Batches, progress: Progress, callback: TrialCallback
) -> EvalResults:
    models = state.eval_models
    last = _evaluate_sets(state, batches, callback)
    selected = last
    if progress.selected != progress.rows[-1]["epoch"]:
        load_selected(state, progress)
        selected = _evaluate_sets(state, batches, callback)
    return {
        (split, name, when): scores[name]
        for when, sets in (("last", last), ("selected", selected))
        for name in models
        for split, scores in sets.items()
    }


def load_selected(state: TrainState, progress: Progress) -> None:
    """Give all models the weights of the selected epoch, which rank 0 has."""
    for name, flat in state.flat_weights.items():
        if state.context.is_main:
            flat.copy_(progress.selected_weights[name])
        state.context.broadcast(flat)


def _evaluate_sets(
    state: TrainState, batches: Batches, callback: TrialCallback
) -> dict[str, dict[str, EvalResult]]:
    """Evaluate all models on all sets; the selection set first, which gives their temperatures."""
    detail = Detail(batches.classes, keep_logits=True)
    read = until_stopped(batches.evaluation(SELECTION), callback)
    selection = evaluate_models(state.eval_models, read, state, detail=detail)
    scaled = {name: _with_temperature(result) for name, result in selection.items()}
    temperatures = {
        name: result.predictions.temperature
        for name, result in scaled.items()
        if result.predictions
    }
    sets = {SELECTION: scaled}
    for name, eval_set in batches.eval_sets.items():
        if name != SELECTION:
            allowed = eval_set.allowed_classes
            mask = None if allowed is None else torch.from_numpy(allowed)
            models, classes = models_for_set(eval_set, state.eval_models, batches)
            # the temperature is that of the trained head
            detail = Detail(classes, {} if eval_set.zero_shot else temperatures)
            read = until_stopped(batches.evaluation(name), callback)
            sets[name] = evaluate_models(models, read, state, mask, detail)
    return sets


def _with_temperature(result: EvalResult) -> EvalResult:
    """Return a result of the selection set with the temperature that is fitted to it."""
    assert result.predictions is not None
    assert result.logits is not None
    labels = torch.from_numpy(result.predictions.labels)
    temperature = fit_temperature(result.logits, labels)
    losses = F.cross_entropy(result.logits / temperature, labels, reduction="none").numpy()
    scaled = replace(result.predictions, tempered_losses=losses, temperature=temperature)
    return replace(result, predictions=scaled, logits=None)
