"""A whole trial: build, train, select, test, and seal the record.

execute(job)  ->  runs/<trial_id>/result.json, or failure.json and a state that says why
"""

import os
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import torch

from clip_hparam import checkpoint
from clip_hparam.build import classifier, device_of, fit_of, numerics_of, zero_shot
from clip_hparam.claim import claim
from clip_hparam.data import Batches
from clip_hparam.encoder import count
from clip_hparam.fit import DivergedError, Fit, evaluate, train_epoch
from clip_hparam.job import Job
from clip_hparam.machine import Numerics
from clip_hparam.outcome import cost_of, keep, metrics_of, tested, write_bits
from clip_hparam.progress import Progress, models_of, named, restore, state_of
from clip_hparam.provenance import provenance, scheduler_job
from clip_hparam.ranks import ALONE, LostRankError, PeerError, Ranks
from clip_hparam.recipe import canonical, label
from clip_hparam.records import Record, is_storage_trouble, now
from clip_hparam.sources import source

HEARTBEAT = 5.0  # seconds between two signs of life
Say = Callable[[str], None]
Tick = Callable[[int, int], None]
Stop = Callable[[], bool]


class StopAttempt(Exception):  # noqa: N818
    """A trial was asked to stop, and did after a step: nothing went wrong."""


def quiet(*_: object) -> None:
    """A reporter that says nothing."""


def never() -> bool:
    """Nobody asks the trial to stop."""
    return False


def execute(
    job: Job, say: Say = quiet, tick: Tick = quiet, stop: Stop = never, ranks: Ranks = ALONE
) -> str:
    """Run a job to its end and return its state; what goes wrong in a trial is on its record.

    A trial that is done is left as it is. Raises claim.BusyError if another process is writing it.
    `say` takes lines for people, `tick` takes (steps done, steps in all). `stop` is asked after
    each step: once it says yes the state is saved, and "queued" returned: to be gone on with.

    All ranks of a trial call this. Rank 0 alone writes, speaks and knows how it ends; the others
    raise what goes wrong in them, and return "lost" where it goes wrong elsewhere.
    """
    record = Record(job.machine.runs, job.trial_id)
    if not ranks.leads:
        return _follow(job, record, ranks)
    with claim(record.folder):
        if record.is_done():
            return "done"
        for name in record.damage():
            say(f"{name} is damaged: set aside as {record.quarantine(name).name}")
        return _attempt(job, record, say, partial(_after, tick=tick, stop=stop), ranks)


def train(job: Job, record: Record, say: Say, tick: Tick, ranks: Ranks) -> dict[str, Any]:
    """From the last checkpoint, if there is one, to the facts of result.json.

    `tick` may raise StopAttempt; all that was trained is saved then. All ranks train and test;
    rank 0 alone writes and has facts.
    """
    recipe = job.recipe
    numerics = _numerics(job, record, ranks)
    torch.set_num_threads(numerics.threads)
    batches = Batches(recipe, source(recipe.data), job.machine.loader_workers, ranks)
    fit = fit_of(recipe, job.machine, classifier(recipe, batches.classes, say), ranks)
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
    if not ranks.leads:
        return {}
    write_bits(record, scores)
    progress.seconds += time.monotonic() - started
    return {
        "metrics": {**metrics_of(progress, scores), **zero_shot(recipe, source(recipe.data))},
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


def _attempt(job: Job, record: Record, say: Say, tick: Tick, ranks: Ranks) -> str:
    attempt = record.status().get("attempt", 0) + 1
    facts = {**provenance(), "started": now(), "attempt": attempt}
    try:
        record.write_recipe(canonical(job.recipe), label(job.recipe))
        where = {"host": facts["host"], "pid": os.getpid(), "job": scheduler_job()}
        record.write_status("running", **where, attempt=attempt)
        with ranks.connected(device_of(job.machine, ranks.local), job.machine.rank_timeout):
            result = train(job, record, say, tick, ranks)
        record.write_result({**result, **facts, "finished": now()})
    except KeyboardInterrupt:
        record.write_failure("cancelled", "cancelled", "interrupted, by Ctrl-C or by SIGTERM")
        raise
    except StopAttempt:
        record.write_status("queued")
        say("stopped: the state is saved, the same command goes on")
        return "queued"
    except (DivergedError, LostRankError) as error:
        state = "diverged" if isinstance(error, DivergedError) else "lost"
        record.write_failure(state, state, str(error))
        say(str(error))
        return state
    except Exception as error:
        kind = "storage" if is_storage_trouble(error) else "error"
        message = f"{type(error).__name__}: {error}"
        record.write_failure("failed", kind, message, traceback=traceback.format_exc())
        say(traceback.format_exc())
        return "failed"
    checkpoint.clear(record.folder / "checkpoint")
    return "done"


def _follow(job: Job, record: Record, ranks: Ranks) -> str:
    """What a rank does that does not lead."""
    try:
        with ranks.connected(device_of(job.machine, ranks.local), job.machine.rank_timeout):
            train(job, record, quiet, quiet, ranks)
    except PeerError:
        return "lost"
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


def _after(step: int, steps: int, tick: Tick, stop: Stop) -> None:
    tick(step, steps)
    if stop():
        raise StopAttempt


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
