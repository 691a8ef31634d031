"""One epoch of a trial: its training steps, its evaluation, and its row of metrics.jsonl."""

import time
from collections.abc import Mapping
from typing import Any

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.data.batches import Batches
from clip_hparam.data.dataset import SELECTION, TEST
from clip_hparam.training.callbacks.base import TrialCallback
from clip_hparam.training.checkpoints.progress import Progress, metric_columns
from clip_hparam.training.engine import refuse_nan, train_epoch, until_stopped
from clip_hparam.training.evaluation import EvalResult, evaluate_models
from clip_hparam.training.train_state import TrainState


def run_epoch(
    spec: TrialSpec,
    state: TrainState,
    batches: Batches,
    epoch: int,
    progress: Progress,
    callback: TrialCallback,
) -> None:
    """Train and evaluate one epoch, of which an earlier attempt may have done some steps."""
    started = time.monotonic()
    row = _train(spec, state, batches, epoch, progress, callback)
    trained = time.monotonic() - started
    scores = _evaluate(spec, state, batches, epoch, callback)
    refuse_nan(row["step"], [result.loss for result in scores[SELECTION].values()])
    for name in state.eval_models:
        for eval_set, results in scores.items():
            row |= metric_columns(eval_set, name, results.get(name))
    row["seconds"] = time.monotonic() - started
    progress.seconds += row["seconds"] - trained
    progress.losses = []
    progress.add_epoch(row, state.flat_weights if state.context.is_main else {})


def _train(
    spec: TrialSpec,
    state: TrainState,
    batches: Batches,
    epoch: int,
    progress: Progress,
    callback: TrialCallback,
) -> dict[str, Any]:
    """Do the steps of an epoch that are left, and return the first columns of its row."""
    started, waited = time.monotonic(), batches.wait.seconds
    steps = batches.steps - len(progress.losses)
    with progress.count_training():
        loss = train_epoch(state, batches, epoch, spec.recipe.seed, callback, progress.losses)
    seconds = time.monotonic() - started
    step = (epoch + 1) * batches.steps
    wait = batches.wait.share_since(waited, seconds) if steps else None
    if not steps:  # stopped during the evaluation of this epoch
        steps, seconds = step, progress.train_seconds
    return {
        "epoch": epoch,
        "step": step,
        "lr": float(state.schedule[step - 1]),
        "train_loss": loss,
        "img_per_s": steps * spec.recipe.batch_size / seconds,
        "wait": wait,
    }


def _evaluate(
    spec: TrialSpec, state: TrainState, batches: Batches, epoch: int, callback: TrialCallback
) -> Mapping[str, Mapping[str, EvalResult]]:
    """Return the results by set, then by model, of the sets and models that `spec` asks for."""
    eval_sets = (SELECTION, TEST) if spec.eval_test == "epoch" else (SELECTION,)
    models = state.eval_models
    if spec.eval_raw == "end" and epoch + 1 < spec.recipe.epochs:
        models = {state.reported_weights: models[state.reported_weights]}
    return {
        eval_set: evaluate_models(
            models, until_stopped(batches.evaluation(eval_set), callback), state
        )
        for eval_set in eval_sets
    }
