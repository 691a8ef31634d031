"""The driver of a sweep: skip what is done, launch the rest, wait, and say what became of it."""

import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.sweep_options import SweepOptions
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.design.design import Cell
from clip_hparam.launch.base import JobHandle, Launcher
from clip_hparam.records.lock import lock_folder
from clip_hparam.records.manifest import manifest_tree, write_manifest
from clip_hparam.records.paths import driver_lock, sweeps_folder
from clip_hparam.records.provenance import code_git_state
from clip_hparam.records.record import Record
from clip_hparam.records.state import LIVE, TrialState
from clip_hparam.records.storage_errors import check_writable, storage_message
from clip_hparam.sweep.budget import predict_costs, validate_budget
from clip_hparam.sweep.progress import ProgressDisplay
from clip_hparam.sweep.rounds import race_verdicts, racing_rounds
from clip_hparam.sweep.sweep import Sweep
from clip_hparam.sweep.tables import show_plan, show_table

POLL_SECONDS = 0.1


def run_sweep(sweep: Sweep, driver: SweepOptions, make_launcher: Callable[[], Launcher]) -> int:
    """Run a sweep to its end; the exit code. Raises BusyError if another driver is at it."""
    for sentence in sweep.repeated:
        print(sentence)
    made_by = {
        name: sealed.get("git")
        for name, job in sweep.jobs.items()
        if (sealed := verified_result(job))
    }
    done = set(made_by)
    launcher = make_launcher()
    if driver.dry_run or driver.budget != "none":
        probing = driver.budget != "none" and not launcher.survives_driver
        seconds = predict_costs(sweep, done, probing)
        room = launcher.capacity([sweep.jobs[name] for name in seconds])
        if driver.dry_run:
            show_plan(sweep, done, seconds, room)
            return ExitCode.OK
        validate_budget(driver, seconds, room)
    validate_detach(driver, launcher)
    if driver.detach and sweep.race:
        raise ValueError(
            "detach=true: what a race runs next is decided here, when its trials are done: leave"
            " it running without detach=true, or give it a number, seeds=5"
        )
    check_writable(sweep.runs)
    warn_if_code_changed(made_by)
    with lock_folder(sweeps_folder(sweep.runs), driver_lock(sweep.id)):
        states: dict[str, str] = {}
        part = sweep
        try:
            for part in racing_rounds(sweep):
                save_manifest(part)
                asked = {name: job for name, job in part.jobs.items() if name not in states}
                missing = {name: job for name, job in asked.items() if name not in done}
                states |= dict.fromkeys(asked.keys() & done, TrialState.DONE)
                states |= _run_trials(part, missing, launcher, driver.detach)
        except KeyboardInterrupt:
            left = sum(verified_result(job) is None for job in part.jobs.values())
            here = "; the same command goes on with them"
            what_now = resume_hint(part.id) if launcher.survives_driver else here
            print(
                f"interrupted: {left} of {len(part.jobs)} trials are left{what_now}",
                file=sys.stderr,
            )
            return ExitCode.INTERRUPTED
    if driver.detach:
        left = sum(state in LIVE for state in states.values())
        print(f"{left} of {len(sweep.jobs)} trials are submitted{resume_hint(sweep.id)}")
        return ExitCode.OK
    show_table(part, done, states)
    for line in race_verdicts(part):
        print(line)
    return sweep_exit_code(part, states)


def verified_result(job: TrialSpec) -> dict[str, Any] | None:
    """What a trial has sealed, if it is done and undamaged."""
    return Record(job.machine.runs, job.trial_id).verified_result()


def sweep_exit_code(sweep: Sweep, states: dict[str, str]) -> int:
    """A full or broken disk is no fault of a trial: it has a code and a sentence of its own."""
    failed = [
        Record(sweep.runs, name).failure() for name in states if states[name] == TrialState.FAILED
    ]
    full = [failure["message"] for failure in failed if failure and failure["kind"] == "storage"]
    if full:
        print(storage_message(full[0]), file=sys.stderr)
        return ExitCode.STORAGE
    if TrialState.HELD in states.values():
        return ExitCode.STORAGE
    return ExitCode.OK if set(states.values()) <= {TrialState.DONE} else ExitCode.FAILED


def validate_detach(driver: SweepOptions, launcher: Launcher) -> None:
    """Raises ValueError if trials would end with their driver, and it is to leave them."""
    if driver.detach and not launcher.survives_driver:
        raise ValueError(
            "detach=true: the trials of this launcher end with this command, there is nothing to"
            " come back to: try hydra/launcher=submitit_slurm"
        )


def resume_hint(sweep_id: str) -> str:
    return (
        f" and go on by themselves; clip-hparam status {sweep_id} and the same command follow them,"
        f" clip-hparam cancel {sweep_id} ends them"
    )


def warn_if_code_changed(made_by: dict[str, Any]) -> None:
    """Trials of one sweep that different code made are not mixed in silence."""
    here = code_git_state()
    others = sum(made != here for made in made_by.values())
    if others:
        print(
            f"{others} of {len(made_by)} trials on record were made by other code than this: tables"
            " mark them; to run them again, try machine.runs=FOLDER",
            file=sys.stderr,
        )


def save_manifest(sweep: Sweep) -> None:
    """Write the manifest of a sweep, before its first trial starts."""
    by_cell: dict[Cell, dict[str, str]] = {}
    for plan in sweep.planned:
        by_cell.setdefault(plan.cell, {})[str(plan.seed)] = plan.job.trial_id
    cells = [
        {"label": cell.label, "overrides": list(cell.overrides), "trials": trials}
        for cell, trials in by_cell.items()
    ]
    race = asdict(sweep.race) if sweep.race else None
    write_manifest(sweep.runs, manifest_tree(sweep.id, sweep.name, sweep.kind, cells, race=race))


def _run_trials(
    sweep: Sweep, jobs: dict[str, TrialSpec], launcher: Launcher, detach: bool
) -> dict[str, str]:
    """Their last states; with `detach` those they have once they are submitted."""
    if not jobs:
        return {}
    handles: list[JobHandle] = []
    try:
        with ProgressDisplay(sweep, jobs) as live:
            handles = launcher.submit(list(jobs.values()))
            states = launcher.poll(handles)
            live.update(states)
            while not detach and any(state in LIVE for state in states.values()):
                time.sleep(POLL_SECONDS)
                states = launcher.poll(handles)
                live.update(states)
    except BaseException:
        if not launcher.survives_driver:
            launcher.cancel(handles)
        raise
    return states
