"""A whole trial: build, train, select, test, and seal the record.

execute(job)  ->  runs/<trial_id>/result.json, or failure.json and a state that says why
"""

import os
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch

from clip_hparam import checkpoint
from clip_hparam.build import classifier, fit_of, numerics_of, zero_shot
from clip_hparam.claim import claim
from clip_hparam.data import Batches
from clip_hparam.encoder import count
from clip_hparam.fit import DivergedError, Fit, evaluate, train_epoch
from clip_hparam.job import Job
from clip_hparam.machine import Numerics
from clip_hparam.outcome import cost_of, keep, metrics_of, tested, write_bits
from clip_hparam.progress import Progress, models_of, named, restore, state_of
from clip_hparam.provenance import provenance
from clip_hparam.recipe import canonical, label
from clip_hparam.records import Record, now
from clip_hparam.sources import source

HEARTBEAT = 5.0  # seconds between two signs of life
Say = Callable[[str], None]
Tick = Callable[[int, int], None]


def quiet(*_: object) -> None:
    """A reporter that says nothing."""


def execute(job: Job, say: Say = quiet, tick: Tick = quiet) -> str:
    """Run a job to its end and return its state; what goes wrong in a trial is on its record.

    A trial that is done is left as it is. Raises claim.BusyError if another process is writing it.
    `say` takes lines for people, `tick` takes (steps done, steps in all).
    """
    record = Record(job.machine.runs, job.trial_id)
    with claim(record.folder):
        damage = record.damage()
        if record.result() and not damage:
            return "done"
        for name in damage:
            say(f"{name} is damaged: set aside as {record.quarantine(name).name}")
        return _attempt(job, record, say, tick)


def train(job: Job, record: Record, say: Say, tick: Tick) -> dict[str, Any]:
    """From the last checkpoint, if there is one, to the facts of result.json."""
    recipe = job.recipe
    numerics = _numerics(job, record)
    torch.set_num_threads(numerics.threads)
    batches = Batches(recipe, source(recipe.data), job.machine.loader_workers)
    fit = fit_of(recipe, job.machine, classifier(recipe, batches.classes, say))
    progress = _resumed(fit, record, say)
    saved = time.monotonic()
    for epoch in range(len(progress.rows), recipe.epochs):
        _epoch(job, fit, batches, epoch, progress, _alive(record, len(fit.schedule), tick))
        record.write_rows(progress.rows)
        say(line(progress.rows[-1], recipe.epochs))
        if time.monotonic() - saved >= job.machine.checkpoint_seconds:
            folder = record.folder / "checkpoint"
            checkpoint.save(folder, progress.rows[-1]["step"], state_of(fit, progress))
            saved = time.monotonic()
    started = time.monotonic()
    keep(job.keep_checkpoints, record, fit, progress)
    scores = tested(fit, batches, progress)
    write_bits(record, scores)
    progress.seconds += time.monotonic() - started
    return {
        "metrics": {**metrics_of(progress, scores), **zero_shot(recipe, batches)},
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


def _attempt(job: Job, record: Record, say: Say, tick: Tick) -> str:
    attempt = record.status().get("attempt", 0) + 1
    record.write_recipe(canonical(job.recipe), label(job.recipe))
    facts = {**provenance(), "started": now(), "attempt": attempt}
    record.write_status("running", host=facts["host"], pid=os.getpid(), attempt=attempt)
    try:
        result = train(job, record, say, tick)
    except KeyboardInterrupt:
        record.write_failure("cancelled", "cancelled", "interrupted from the keyboard")
        raise
    except DivergedError as error:
        record.write_failure("diverged", "diverged", str(error))
        say(str(error))
        return "diverged"
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
        record.write_failure("failed", "error", message, traceback=traceback.format_exc())
        say(traceback.format_exc())
        return "failed"
    record.write_result({**result, **facts, "finished": now()})
    checkpoint.clear(record.folder / "checkpoint")
    return "done"


def _epoch(
    job: Job,
    fit: Fit,
    batches: Batches,
    epoch: int,
    progress: Progress,
    alive: Callable[[int], None],
) -> None:
    started = time.monotonic()
    loss = train_epoch(fit, batches, epoch, job.recipe.seed, alive)
    trained = time.monotonic() - started
    models = models_of(fit)
    step = (epoch + 1) * batches.steps
    row: dict[str, Any] = {
        "epoch": epoch,
        "step": step,
        "lr": float(fit.schedule[step - 1]),
        "train_loss": loss,
        "img_per_s": batches.steps * job.recipe.batch_size / trained,
    }
    for name, model in models.items():
        row |= named("selection", name, evaluate(model, batches.selection(), fit))
        if job.eval_test == "epoch":
            row |= named("test", name, evaluate(model, batches.test(), fit))
    row["seconds"] = time.monotonic() - started
    progress.seconds += row["seconds"]
    progress.train_seconds += trained
    progress.add(row, models)


def _numerics(job: Job, record: Record) -> Numerics:
    """Those of the first attempt, so that a resume ends in the same bits; else this machine's."""
    known = record.status().get("numerics")
    numerics = Numerics(**known) if known else numerics_of(job.recipe, job.machine)
    record.write_status("running", numerics=asdict(numerics))
    return numerics


def _resumed(fit: Fit, record: Record, say: Say) -> Progress:
    state, damaged = checkpoint.load(record.folder / "checkpoint")
    for sentence in damaged:
        say(sentence)
    if state is None:
        return Progress()
    progress = restore(fit, state)
    say(f"going on after epoch {len(progress.rows)}")
    return progress


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
