"""The driver of a sweep: skip what is done, launch the rest, wait, and say what became of it."""

import sys
import time
from collections.abc import Callable

from clip_hparam import cost
from clip_hparam.claim import claim
from clip_hparam.design import Cell
from clip_hparam.driver import Driver, worker_count
from clip_hparam.job import Job
from clip_hparam.launch import Handle, Launcher
from clip_hparam.records import LIVE, SCHEMA, Record, check_writable, now, write_json
from clip_hparam.sweep import Sweep
from clip_hparam.view import View, show_plan, show_table

POLL_SECONDS = 0.1
OK, FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130


def drive(sweep: Sweep, driver: Driver, make_launcher: Callable[[], Launcher]) -> int:
    """Run a sweep to its end; the exit code. Raises BusyError if another driver is at it."""
    repeated = len(sweep.planned) - len(sweep.jobs)
    if repeated:
        print(f"{repeated} trials of the design are the same as others: each runs once")
    done = {trial_id for trial_id, job in sweep.jobs.items() if is_done(job)}
    if driver.dry_run or driver.budget != "none":
        seconds = predictions(sweep, done)
        if driver.dry_run:
            show_plan(sweep, done, seconds, worker_count(driver.workers))
            return OK
        check_budget(driver, seconds)
    check_writable(sweep.runs)
    with claim(sweep.runs / ".sweeps", f"{sweep.id}.lock"):
        write_manifest(sweep)
        missing = [job for trial_id, job in sweep.jobs.items() if trial_id not in done]
        states = dict.fromkeys(done, "done")
        try:
            states |= _run(missing, make_launcher, View(len(sweep.jobs), len(done)))
        except KeyboardInterrupt:
            left = sum(not is_done(job) for job in sweep.jobs.values())
            print(
                f"interrupted: {left} of {len(sweep.jobs)} trials are left;"
                " the same command goes on with them",
                file=sys.stderr,
            )
            return INTERRUPTED
    show_table(sweep, done, states)
    return OK if set(states.values()) <= {"done"} else FAILED


def is_done(job: Job) -> bool:
    return Record(job.machine.runs, job.trial_id).result() is not None


def predictions(sweep: Sweep, done: set[str]) -> dict[str, float | None]:
    """Seconds of each trial that is left, None where nothing like it was ever run here."""
    known = cost.measured(sweep.runs)
    left = {name: job for name, job in sweep.jobs.items() if name not in done}
    return {name: cost.predict(job.recipe, known) for name, job in left.items()}


def check_budget(driver: Driver, seconds: dict[str, float | None]) -> None:
    """Raises ValueError for a sweep that would take longer than it may, or may."""
    allowed = cost.seconds_of(driver.budget)
    if None in seconds.values():
        raise ValueError(
            f"budget={driver.budget} cannot be held: no trial of this encoder and data is on record"
            " to predict from; run one cell first"
        )
    wanted = sum(filter(None, seconds.values())) / worker_count(driver.workers)
    if wanted > allowed:
        raise ValueError(
            f"budget={driver.budget} is less than the predicted {cost.readable(wanted)} on"
            f" {worker_count(driver.workers)} workers: try fewer seeds, or"
            f" budget={wanted / 60 + 1:.0f}m"
        )


def write_manifest(sweep: Sweep) -> None:
    """What the sweep is, on disk before its first trial starts."""
    by_cell: dict[Cell, dict[str, str]] = {}
    for plan in sweep.planned:
        by_cell.setdefault(plan.cell, {})[str(plan.seed)] = plan.job.trial_id
    cells = [
        {"label": cell.label, "overrides": list(cell.overrides), "trials": trials}
        for cell, trials in by_cell.items()
    ]
    head = {"schema": SCHEMA, "sweep_id": sweep.id, "name": sweep.name, "kind": sweep.kind}
    path = sweep.runs / ".sweeps" / f"{sweep.id}.json"
    write_json(path, {**head, "created": now(), "command": sys.argv, "cells": cells})


def _run(jobs: list[Job], make_launcher: Callable[[], Launcher], view: View) -> dict[str, str]:
    if not jobs:
        return {}
    launcher = make_launcher()
    handles: list[Handle] = []
    try:
        with view:
            handles = launcher.submit(jobs)
            states = launcher.poll(handles)
            view.update(states)
            while any(state in LIVE for state in states.values()):
                time.sleep(POLL_SECONDS)
                states = launcher.poll(handles)
                view.update(states)
    except BaseException:
        launcher.cancel(handles)
        raise
    return states
