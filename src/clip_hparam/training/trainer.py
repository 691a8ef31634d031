"""The run of a trial: build or resume, all epochs, selection, and the test at the end.

Every rank of a trial runs it; rank 0 alone writes and speaks.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import torch

from clip_hparam.config.machine import Numerics
from clip_hparam.config.trial_spec import Job
from clip_hparam.data.batches import Batches
from clip_hparam.data.datasets import source
from clip_hparam.distributed import Ranks
from clip_hparam.model.classifier import count
from clip_hparam.records.record import Record
from clip_hparam.training import checkpoint
from clip_hparam.training.engine import Fit, evaluate, train_epoch
from clip_hparam.training.factory import classifier, fit_of, numerics_of
from clip_hparam.training.progress import Progress, models_of, named, restore, state_of
from clip_hparam.training.results import cost_of, keep, metrics_of, tested, write_bits, zero_shot

HEARTBEAT = 5.0  # seconds between two signs of life
Say = Callable[[str], None]
Tick = Callable[[int, int], None]
Report = Callable[[list[dict[str, Any]]], bool]


class StopAttempt(Exception):  # noqa: N818
    """A trial was asked to stop, and did after a step: nothing went wrong."""


class PruneAttempt(Exception):  # noqa: N818
    """A trial is not worth another epoch: nothing went wrong, and nothing is to be gone on with."""


def never(*_: object) -> bool:
    """An adviser that lets a trial go on."""
    return False


def quiet(*_: object) -> None:
    """A reporter that says nothing."""


def train(
    job: Job, record: Record, say: Say, tick: Tick, ranks: Ranks, report: Report = never
) -> dict[str, Any]:
    """From the last checkpoint, if there is one, to the facts of result.json.

    `tick` may raise StopAttempt; all that was trained is saved then. Raises PruneAttempt if
    `report` says after an epoch that it was the last. All ranks train and test; rank 0 alone
    writes and has facts.
    """
    recipe = job.recipe
    numerics = _numerics(job, record, ranks)
    torch.set_num_threads(numerics.threads)
    pictures = source(recipe.data)
    batches = Batches(recipe, pictures, job.machine.loader_workers, ranks)
    fit = fit_of(recipe, job.machine, classifier(recipe, batches.classes, say), ranks)
    if fit.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(fit.device)  # of trials before it in this process
    progress = _resumed(fit, record, say)
    alive = _alive(record, len(fit.schedule), tick) if ranks.leads else quiet
    saved = time.monotonic()
    try:
        for epoch in range(len(progress.rows), recipe.epochs):
            _epoch(job, fit, batches, epoch, progress, alive)
            if not ranks.leads:
                continue
            record.write_rows(progress.rows)
            say(line(progress.rows[-1], recipe.epochs))
            if report(progress.rows) and epoch + 1 < recipe.epochs:
                raise PruneAttempt
            if time.monotonic() - saved >= job.machine.checkpoint_seconds:
                _save(record, fit, batches, progress)
                saved = time.monotonic()
    except StopAttempt:
        _save(record, fit, batches, progress)
        raise
    started = time.monotonic()
    if ranks.leads:
        keep(job.keep_checkpoints, record, fit, progress)
    scores = tested(fit, batches, progress)
    untrained = zero_shot(recipe, fit, batches)
    if not ranks.leads:
        return {}
    write_bits(record, scores, pictures)
    progress.seconds += time.monotonic() - started
    return {
        "metrics": {**metrics_of(progress, scores), **untrained},
        "epochs": {"selected": progress.selected, "last": recipe.epochs - 1},
        "selected_weights": list(models_of(fit))[-1],
        "steps": len(fit.schedule),
        "cost": cost_of(fit, progress, len(fit.schedule) * recipe.batch_size),
        "parameters": count(fit.model),
        "numerics": asdict(numerics),
    }


def line(row: dict[str, Any], epochs: int) -> str:
    """An epoch for people."""
    weights = "ema" if "selection_acc1.ema" in row else "raw"
    return (
        f"epoch {row['epoch'] + 1}/{epochs}  loss {row['train_loss']:.3f}"
        f"  selection acc1 {row[f'selection_acc1.{weights}']:.1f} % ({weights})"
        f"  {row['img_per_s']:.0f} img/s"
    )


def _epoch(
    job: Job,
    fit: Fit,
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
    models = models_of(fit)
    step = (epoch + 1) * batches.steps
    row: dict[str, Any] = {
        "epoch": epoch,
        "step": step,
        "lr": float(fit.schedule[step - 1]),
        "train_loss": loss,
        "img_per_s": steps * job.recipe.batch_size / trained,
    }
    for name, model in models.items():
        row |= named("selection", name, evaluate(model, batches.selection(), fit))
        if job.eval_test == "epoch":
            row |= named("test", name, evaluate(model, batches.test(), fit))
    row["seconds"] = time.monotonic() - started
    progress.seconds += row["seconds"] - trained
    progress.losses = []
    progress.add(row, models)


def _numerics(job: Job, record: Record, ranks: Ranks) -> Numerics:
    """Those of the first attempt, so that a resume ends in the same bits; else this machine's.

    The number of ranks is as it is: a resume may have to do with fewer.
    """
    known = record.status().get("numerics")
    numerics = Numerics(**known) if known else numerics_of(job.recipe, job.machine)
    numerics = replace(numerics, ranks=ranks.world)
    if ranks.leads:
        record.write_status("running", numerics=asdict(numerics))
    return numerics


def _resumed(fit: Fit, record: Record, say: Say) -> Progress:
    state, damaged = checkpoint.load(record.folder / "checkpoint")
    for sentence in damaged:
        say(sentence)
    progress = restore(fit, state) if state else Progress()
    places = fit.ranks.gathered([(len(progress.rows), len(progress.losses))])
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


def _save(record: Record, fit: Fit, batches: Batches, progress: Progress) -> None:
    step = len(progress.rows) * batches.steps + len(progress.losses)
    checkpoint.save(record.folder / "checkpoint", step, state_of(fit, progress))


def _alive(record: Record, steps: int, tick: Tick) -> Callable[[int], None]:
    """After each step: tell the reporter, and every few seconds the record."""
    last = time.monotonic()

    def alive(step: int) -> None:
        nonlocal last
        tick(step, steps)
        if time.monotonic() - last > HEARTBEAT:
            record.write_status("running", step=step)
            last = time.monotonic()

    return alive
