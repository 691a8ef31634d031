"""The driver of a search: put it on disk, start its workers, show what they find, say how it ended.

Workers need no driver: they ask the study themselves. With detach=true it leaves them to it.
"""

import sys
import time
from collections.abc import Callable

from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.knob import AUTO
from clip_hparam.config.sweep_options import SweepOptions
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.base import JobHandle, Launcher
from clip_hparam.launch.resources import gpu_slots
from clip_hparam.records.credentials import with_password
from clip_hparam.records.lock import lock_folder
from clip_hparam.records.record import Record
from clip_hparam.records.state import LIVE
from clip_hparam.records.storage_errors import check_writable, storage_message
from clip_hparam.search.results import ENDED_NORMALLY, PointResult, point_results
from clip_hparam.search.spec import SearchSpec, search_manifest
from clip_hparam.search.storage import open_storage
from clip_hparam.search.study import SearchStudy
from clip_hparam.sweep.driver import (
    POLL_SECONDS,
    resume_hint,
    validate_detach,
)
from clip_hparam.sweep.search_tables import PointPrinter, show_result, show_space

POINTS_PER_WORKER = 5
"""Of a launcher whose workers are not this computer's, where `workers` does not say how many."""


def run_search(
    search: SearchSpec, driver: SweepOptions, make_launcher: Callable[[], Launcher]
) -> int:
    """Run a search until it has its points; the exit code.

    Raises BusyError if another driver is at it, ValueError for a storage that cannot be reached.
    """
    manifest = search_manifest(search)
    if driver.dry_run:
        show_space(search, manifest)
        return ExitCode.OK
    launcher = make_launcher()
    validate_detach(driver, launcher)
    check_writable(search.runs)
    if search.storage:
        open_storage(with_password(search.storage_url))  # before anything is written
    with lock_folder(search.runs / ".sweeps", f"{search.id}.lock"):
        manifest.create_or_continue(search)
        study = SearchStudy(manifest)
        left = study.points_left
        if not left:
            name = search.optuna_study_name
            print(f"{name} has all its points: {search.n_trials} were asked for")
        jobs = [search.worker_spec(n) for n in range(_worker_count(search, driver, launcher, left))]
        try:
            states = _run_workers(PointPrinter(manifest), jobs, launcher, driver.detach)
        except KeyboardInterrupt:
            what_now = (
                resume_hint(search.id) if launcher.survives_driver else "; the same command goes on"
            )
            print(f"interrupted: {study.points_left} points are left{what_now}", file=sys.stderr)
            return ExitCode.INTERRUPTED
        if driver.detach:
            print(f"{len(jobs)} workers are submitted{resume_hint(search.id)}")
            return ExitCode.OK
        study.fail_abandoned()
    found = point_results(search, manifest.read()["cells"])
    show_result(search, found)
    return search_exit_code(search, found, states)


def search_exit_code(search: SearchSpec, found: list[PointResult], states: dict[str, str]) -> int:
    """Of points and workers: a worker that died while another ended the search is no failure.

    A full or broken disk is no fault of a point: it has a code and a sentence of its own.
    """
    names = [*states, *(trial for point in found for trial in point.trials.values())]
    failures = filter(None, (Record(search.runs, name).failure() for name in names))
    full = [failure["message"] for failure in failures if failure["kind"] == "storage"]
    unfinished = any(point.state not in ENDED_NORMALLY for point in found)
    if full and unfinished:
        print(storage_message(full[0]), file=sys.stderr)
    if (full and unfinished) or "held" in states.values():
        return ExitCode.STORAGE
    alone = states and "done" not in states.values()
    return ExitCode.FAILED if unfinished or alone else ExitCode.OK


def _worker_count(search: SearchSpec, driver: SweepOptions, launcher: Launcher, left: int) -> int:
    """No more than there are points."""
    if launcher.survives_driver and driver.workers == AUTO:
        return -(-left // POINTS_PER_WORKER)
    return min(left, len(gpu_slots(driver, search.base.machine.device)))


def _run_workers(
    view: PointPrinter, jobs: list[TrialSpec], launcher: Launcher, detach: bool
) -> dict[str, str]:
    """The last states of the workers; with `detach` those they have once they are submitted."""
    if not jobs:
        return {}
    handles: list[JobHandle] = []
    try:
        handles = launcher.submit(jobs)
        states = launcher.poll(handles)
        while not detach and any(state in LIVE for state in states.values()):
            time.sleep(POLL_SECONDS)
            states = launcher.poll(handles)
            view.print_new()
    except BaseException:
        if not launcher.survives_driver:
            launcher.cancel(handles)
        raise
    view.print_new()
    return states
