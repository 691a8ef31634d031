"""One epoch of a trial: its training steps, its evaluation, and its row of metrics.jsonl."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.data.batches import Batches
from clip_hparam.data.dataset import SELECTION, TEST
from clip_hparam.training.callbacks.base import TrialCallback
from clip_hparam.training.checkpoints.progress import Progress, metric_columns
from clip_hparam.training.engine import refuse_nan, train_epoch, until_stopped
from clip_hparam.training.evaluation import EvalResult, evaluate_models
from clip_hparam.training.train_state import TrainState


@dataclass(frozen=True)
class TrialRun:
    """Objects that the epochs of one attempt of a trial share."""

    spec: TrialSpec
    state: TrainState
    batches: Batches
    progress: Progress
    callback: TrialCallback


def run_epoch(run: TrialRun, epoch: int) -> None:
    """Train and evaluate one epoch, from the step at which an earlier attempt stopped."""
    started = time.monotonic()
    row = _train(run, epoch)
    trained = time.monotonic() - started
    scores = _evaluate(run, epoch)
    refuse_nan(row["step"], [result.loss for result in scores[SELECTION].values()])
    for name in run.state.eval_models:
        for eval_set, results in scores.items():
            row |= metric_columns(eval_set, name, results.get(name))
    row["seconds"] = time.monotonic() - started
    progress = run.progress
    progress.seconds += row["seconds"] - trained
    progress.losses = []
    progress.add_epoch(row, run.state.flat_weights if run.state.context.is_main else {})


def _train(run: TrialRun, epoch: int) -> dict[str, Any]:
    """Do the steps of an epoch that are left, and return the first columns of its row."""
    recipe, batches, losses = run.spec.recipe, run.batches, run.progress.losses
    started, waited = time.monotonic(), batches.wait.seconds
    steps = batches.steps - len(losses)
    with run.progress.count_training():
        loss = train_epoch(run.state, batches, epoch, recipe.seed, run.callback, losses)
    seconds = time.monotonic() - started
    step = (epoch + 1) * batches.steps
    wait = batches.wait.share_since(waited, seconds) if steps else None
    if not steps:  # stopped during the evaluation of this epoch
        steps, seconds = step, run.progress.train_seconds
    return {
        "epoch": epoch,
        "step": step,
        "lr": float(run.state.schedule[step - 1]),
        "train_loss": loss,
        "img_per_s": steps * recipe.batch_size / seconds,
        "wait": wait,
    }


def _evaluate(run: TrialRun, epoch: int) -> Mapping[str, Mapping[str, EvalResult]]:
    """Return the results by set, then by model, of the sets and models that the spec asks for."""
    spec, state = run.spec, run.state
    eval_sets = (SELECTION, TEST) if spec.eval_test == "epoch" else (SELECTION,)
    models = state.eval_models
    if spec.eval_raw == "end" and epoch + 1 < spec.recipe.epochs:
        models = {state.reported_weights: models[state.reported_weights]}
    return {
        eval_set: evaluate_models(
            models, until_stopped(run.batches.evaluation(eval_set), run.callback), state
        )
        for eval_set in eval_sets
    }
