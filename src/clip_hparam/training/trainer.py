"""The run of a trial: create or resume its state, train all epochs, select, and test.

Every rank of a trial runs this code; rank 0 alone writes the record and calls the callbacks.
"""

import logging
import math
import time
from contextlib import closing
from typing import Any

import torch

from clip_hparam.config.resolved_recipe import ResolvedRecipe, as_resolved
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.data.batches import Batches
from clip_hparam.data.dataset import ImageDataset
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.evaluation_sets.load import with_eval_sets
from clip_hparam.distributed import DistributedContext
from clip_hparam.model.classifier import count_parameters
from clip_hparam.planning.data_facts import data_counts, data_rows
from clip_hparam.records.record import Record
from clip_hparam.records.state import TrialState
from clip_hparam.training.attempts import record_numerics
from clip_hparam.training.callbacks.base import CallbackList, TrialCallback
from clip_hparam.training.checkpoints.resume import record_position, resume
from clip_hparam.training.checkpoints.writer import CheckpointWriter
from clip_hparam.training.device.description import describe_attempt, hidden_gpu_warning
from clip_hparam.training.device.numerics import (
    Numerics,
    device_of,
    numerics_facts,
)
from clip_hparam.training.engine import StoppedError
from clip_hparam.training.epoch import TrialRun, run_epoch
from clip_hparam.training.factory import create_model, create_train_state
from clip_hparam.training.final.pretrained import evaluate_pretrained
from clip_hparam.training.final.results import (
    eval_set_facts,
    evaluate_zero_shot,
    measure_cost,
    metrics_of,
    reported_predictions,
    save_weights,
    write_correct_bits,
)
from clip_hparam.training.final.selected_and_last import evaluate_selected_and_last
from clip_hparam.training.memory.recorder import MicroBatchRecorder
from clip_hparam.training.metrics.predictions_file import write_predictions
from clip_hparam.training.outcome import TrialOutcome
from clip_hparam.training.train_state import TrainState

logger = logging.getLogger(__name__)


def train(
    spec: TrialSpec, record: Record, callback: TrialCallback, context: DistributedContext
) -> TrialOutcome:
    """Train a trial from its newest checkpoint, or from the start, and test it.

    Return "queued" if the callback stopped the trial, whose state is then saved; "pruned" if the
    callback pruned it; else "done" with the facts of result.json, which only rank 0 has.
    """
    recipe = as_resolved(spec.recipe)
    attempts = record_numerics(spec, record, context)
    numerics = attempts[-1]
    numerics.apply()
    dataset = with_eval_sets(load_dataset(recipe.data), spec.eval_sets)
    device = device_of(spec.machine, context.local_rank)
    batches = Batches(recipe, dataset, spec.machine.loader_workers, context, device)
    state = _create_state(spec, numerics, batches, context)
    progress = resume(state, record)
    if context.is_main:
        record_position(record, batches, progress)
    seconds = spec.machine.checkpoint_seconds if context.is_main else math.inf
    folder = record.checkpoint_folder
    with (
        closing(batches),
        CheckpointWriter(folder, seconds, state, progress, batches.steps) as writer,
    ):
        callback = CallbackList([callback, MicroBatchRecorder(attempts, state, record), writer])
        run = TrialRun(spec, state, batches, progress, callback)
        try:
            if not _run_epochs(run, record):
                return TrialOutcome(TrialState.PRUNED)
            writer.end_training()
            facts = _test(run, record, dataset)
        except StoppedError:
            writer.save_now()
            return TrialOutcome(TrialState.QUEUED)
    return TrialOutcome(TrialState.DONE, facts and {**facts, **numerics_facts(attempts)})


def _create_state(
    spec: TrialSpec, numerics: Numerics, batches: Batches, context: DistributedContext
) -> TrainState:
    """Return the state before the first step; rank 0 logs the data and the device."""
    recipe = as_resolved(spec.recipe)
    model = create_model(recipe, batches.classes, batches.device)
    state = create_train_state(
        recipe, spec.machine, model, context, numerics.kernel_choice, numerics.micro_batch
    )
    if context.is_main:
        _log_data(recipe)
        _log_machine(spec, numerics, state, batches.workers)
    if state.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(state.device)  # set by earlier trials of this process
    return state


def _log_data(recipe: ResolvedRecipe) -> None:
    """Log the classes, the sizes of the sets, and the folders that they come from."""
    for name, value in data_rows(recipe.data):
        logger.info("%s: %s", name, value)
    for note in load_dataset(recipe.data).notes:
        logger.info("note: %s", note)


def _log_machine(
    spec: TrialSpec, numerics: Numerics, state: TrainState, loader_workers: int
) -> None:
    """Log the device, and warn if it is not the GPU of this computer."""
    logger.info(describe_attempt(spec.recipe, numerics, state.micro_batch, loader_workers))
    if warning := hidden_gpu_warning(spec.machine, state.device):
        logger.warning(warning)


def _run_epochs(run: TrialRun, record: Record) -> bool:
    """Train the epochs that are left; return False if the callback pruned the trial."""
    rows, epochs = run.progress.rows, run.spec.recipe.epochs
    for epoch in range(len(rows), epochs):
        run_epoch(run, epoch)
        if not run.state.context.is_main:
            continue
        record.write_rows(rows)
        if run.callback.on_epoch_end(rows) and epoch + 1 < epochs:
            return False
    return True


def _test(run: TrialRun, record: Record, dataset: ImageDataset) -> dict[str, Any] | None:
    """Test the trained models, write the files of rank 0, and return the facts; None elsewhere."""
    started = time.monotonic()
    spec, state, batches, progress = run.spec, run.state, run.batches, run.progress
    if state.context.is_main:
        save_weights(spec.keep_checkpoints, record, state, progress)
    scores = evaluate_selected_and_last(state, batches, progress, run.callback)
    zero_shot = {
        **evaluate_zero_shot(state, batches),
        **evaluate_pretrained(state, batches, run.callback),
    }
    if not state.context.is_main:
        return None
    write_correct_bits(record, scores, dataset)
    reported = reported_predictions(scores, state.reported_weights)
    write_predictions(record, reported, batches.eval_sets, state.reported_weights)
    progress.seconds += time.monotonic() - started
    steps = len(state.schedule)
    return {
        "metrics": {**metrics_of(progress, scores), **zero_shot},
        "epochs": {"selected": progress.selected, "last": spec.recipe.epochs - 1},
        "selected_weights": state.reported_weights,
        "steps": steps,
        "images": data_counts(spec.recipe.data),
        **eval_set_facts(batches.eval_sets),
        "cost": measure_cost(state, progress, steps * spec.recipe.batch_size),
        "parameters": count_parameters(state.model),
    }
