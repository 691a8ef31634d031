"""The run of a trial: build or resume, all epochs, selection, and the test at the end.

Every rank of a trial runs it; rank 0 alone writes and speaks.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import torch

from clip_hparam.config.resolved_recipe import as_resolved
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.data.batches import Batches
from clip_hparam.data.datasets import load_dataset
from clip_hparam.distributed import DistributedContext
from clip_hparam.model.classifier import count_parameters
from clip_hparam.records.record import Record
from clip_hparam.training import checkpoint
from clip_hparam.training.callbacks.base import (
    Report,
    Say,
    Tick,
    TrialPruned,
    TrialStopped,
    never,
    quiet,
)
from clip_hparam.training.engine import TrainState, eval_models, evaluate, train_epoch
from clip_hparam.training.factory import create_model, create_train_state
from clip_hparam.training.numerics import Numerics, numerics_of
from clip_hparam.training.progress import (
    Progress,
    checkpoint_state,
    metric_columns,
    restore_checkpoint,
)
from clip_hparam.training.results import (
    evaluate_selected_and_last,
    evaluate_zero_shot,
    measure_cost,
    metrics_of,
    save_weights,
    write_correct_bits,
)

HEARTBEAT_SECONDS = 5.0  # seconds between two signs of life


def train(
    job: TrialSpec,
    record: Record,
    say: Say,
    tick: Tick,
    ranks: DistributedContext,
    report: Report = never,
) -> dict[str, Any]:
    """From the last checkpoint, if there is one, to the facts of result.json.

    `tick` may raise StopAttempt; all that was trained is saved then. Raises PruneAttempt if
    `report` says after an epoch that it was the last. All ranks train and test; rank 0 alone
    writes and has facts.
    """
    recipe = as_resolved(job.recipe)
    numerics = _record_numerics(job, record, ranks)
    torch.set_num_threads(numerics.threads)
    pictures = load_dataset(recipe.data)
    batches = Batches(recipe, pictures, job.machine.loader_workers, ranks)
    fit = create_train_state(recipe, job.machine, create_model(recipe, batches.classes, say), ranks)
    if fit.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(fit.device)  # of trials before it in this process
    progress = _resume(fit, record, say)
    alive = _create_step_callback(record, len(fit.schedule), tick) if ranks.is_main else quiet
    saved = time.monotonic()
    try:
        for epoch in range(len(progress.rows), recipe.epochs):
            _run_epoch(job, fit, batches, epoch, progress, alive)
            if not ranks.is_main:
                continue
            record.write_rows(progress.rows)
            say(format_epoch(progress.rows[-1], recipe.epochs))
            if report(progress.rows) and epoch + 1 < recipe.epochs:
                raise TrialPruned
            if time.monotonic() - saved >= job.machine.checkpoint_seconds:
                _save_checkpoint(record, fit, batches, progress)
                saved = time.monotonic()
    except TrialStopped:
        _save_checkpoint(record, fit, batches, progress)
        raise
    started = time.monotonic()
    if ranks.is_main:
        save_weights(job.keep_checkpoints, record, fit, progress)
    scores = evaluate_selected_and_last(fit, batches, progress)
    untrained = evaluate_zero_shot(recipe, fit, batches)
    if not ranks.is_main:
        return {}
    write_correct_bits(record, scores, pictures)
    progress.seconds += time.monotonic() - started
    return {
        "metrics": {**metrics_of(progress, scores), **untrained},
        "epochs": {"selected": progress.selected, "last": recipe.epochs - 1},
        "selected_weights": list(eval_models(fit))[-1],
        "steps": len(fit.schedule),
        "cost": measure_cost(fit, progress, len(fit.schedule) * recipe.batch_size),
        "parameters": count_parameters(fit.model),
        "numerics": asdict(numerics),
    }


def format_epoch(row: dict[str, Any], epochs: int) -> str:
    """An epoch for people."""
    weights = "ema" if "selection_acc1.ema" in row else "raw"
    return (
        f"epoch {row['epoch'] + 1}/{epochs}  loss {row['train_loss']:.3f}"
        f"  selection acc1 {row[f'selection_acc1.{weights}']:.1f} % ({weights})"
        f"  {row['img_per_s']:.0f} img/s"
    )


def _run_epoch(
    job: TrialSpec,
    fit: TrainState,
    batches: Batches,
    epoch: int,
    progress: Progress,
    alive: Callable[[int], None],
) -> None:
    started = time.monotonic()
    steps = batches.steps - len(progress.losses)
    try:
        loss = train_epoch(fit, batches, epoch, job.recipe.seed, alive, progress.losses)
    finally:
        trained = time.monotonic() - started
        progress.train_seconds += trained
        progress.seconds += trained
    models = eval_models(fit)
    step = (epoch + 1) * batches.steps
    row: dict[str, Any] = {
        "epoch": epoch,
        "step": step,
        "lr": float(fit.schedule[step - 1]),
        "train_loss": loss,
        "img_per_s": steps * job.recipe.batch_size / trained,
    }
    for name, model in models.items():
        row |= metric_columns(
            "selection", name, evaluate(model, batches.evaluation("selection"), fit)
        )
        if job.eval_test == "epoch":
            row |= metric_columns("test", name, evaluate(model, batches.evaluation("test"), fit))
    row["seconds"] = time.monotonic() - started
    progress.seconds += row["seconds"] - trained
    progress.losses = []
    progress.add_epoch(row, models)


def _record_numerics(job: TrialSpec, record: Record, ranks: DistributedContext) -> Numerics:
    """Those of the first attempt, so that a resume ends in the same bits; else this machine's.

    The number of ranks is as it is: a resume may have to do with fewer.
    """
    known = record.status().get("numerics")
    numerics = Numerics(**known) if known else numerics_of(job.recipe, job.machine)
    numerics = replace(numerics, ranks=ranks.world_size)
    if ranks.is_main:
        record.write_status("running", numerics=asdict(numerics))
    return numerics


def _resume(fit: TrainState, record: Record, say: Say) -> Progress:
    state, damaged = checkpoint.load(record.folder / "checkpoint")
    for sentence in damaged:
        say(sentence)
    progress = restore_checkpoint(fit, state) if state else Progress()
    places = fit.ranks.all_gather([(len(progress.rows), len(progress.losses))])
    if len(set(places)) > 1:
        raise RuntimeError(
            f"the ranks would go on from different (epoch, step) {places}: {record.folder} is not"
            " the same folder for all of them"
        )
    if state is None:
        return progress
    steps = f" and {len(progress.losses)} steps" if progress.losses else ""
    say(f"going on after epoch {len(progress.rows)}{steps}")
    return progress


def _save_checkpoint(record: Record, fit: TrainState, batches: Batches, progress: Progress) -> None:
    step = len(progress.rows) * batches.steps + len(progress.losses)
    checkpoint.save(record.folder / "checkpoint", step, checkpoint_state(fit, progress))


def _create_step_callback(record: Record, steps: int, tick: Tick) -> Callable[[int], None]:
    """After each step: tell the reporter, and every few seconds the record."""
    last = time.monotonic()

    def alive(step: int) -> None:
        nonlocal last
        tick(step, steps)
        if time.monotonic() - last > HEARTBEAT_SECONDS:
            record.write_status("running", step=step)
            last = time.monotonic()

    return alive
