"""The driver of a sweep: skip what is done, launch the rest, wait, and say what became of it."""

import sys
import time
from collections.abc import Callable

from clip_hparam.claim import claim
from clip_hparam.design import Cell
from clip_hparam.driver import Driver
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
    if driver.dry_run:
        show_plan(sweep, done)
        return OK
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
