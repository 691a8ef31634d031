"""The driver of a search: write its manifest, run its workers, show points as they end.

Workers take points from the study themselves, so with `detach=true` they continue without a driver.
"""

import sys
from collections.abc import Callable, Mapping, Sequence

from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.knob import AUTO
from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.config.text.count import counted, is_are
from clip_hparam.config.text.wrap import print_wrapped
from clip_hparam.design.families import family_of
from clip_hparam.launch.base import Launcher
from clip_hparam.launch.resources import gpu_slots, print_device_note, validate_device
from clip_hparam.launch.supervise import supervise
from clip_hparam.records.credentials import with_password
from clip_hparam.records.lock import lock_sweep
from clip_hparam.records.state import TrialState
from clip_hparam.records.storage_errors import check_writable, storage_message
from clip_hparam.search.results import ENDED_NORMALLY, PointResult, point_results
from clip_hparam.search.spec import SearchSpec, search_manifest
from clip_hparam.search.storage import open_storage
from clip_hparam.search.study import SearchStudy
from clip_hparam.sweep.checks import CONSENT_MESSAGE, needs_consent, validate_detach
from clip_hparam.sweep.compilation import with_compile_choice_of_search
from clip_hparam.sweep.driver import resume_hint, storage_failures
from clip_hparam.sweep.refusals import forgotten_if_refused
from clip_hparam.sweep.search_tables import (
    PointPrinter,
    show_failed_workers,
    show_result,
    show_space,
)

POINTS_PER_WORKER = 5
"""Points per worker of a launcher that runs elsewhere, with `workers=auto`."""


def run_search(
    search: SearchSpec, options: SweepOptions, make_launcher: Callable[[], Launcher]
) -> int:
    """Run a search until it has all its points and return the exit code.

    Raises FolderLockedError if another driver runs it, ValueError for an unreachable storage.
    """
    manifest = search_manifest(search)
    family = family_of(search.overrides)
    refused = not search.budget and needs_consent(family, options)
    launcher = make_launcher()
    if options.dry_run or refused:
        show_space(search, manifest, launcher.capacity([search.worker_spec(0)]))
    if refused:
        print(CONSENT_MESSAGE.format(family), file=sys.stderr)
        return ExitCode.WRONG_USE
    if options.dry_run:
        return ExitCode.OK
    validate_detach(options, launcher)
    search = with_compile_choice_of_search(search, manifest, launcher)
    if not launcher.survives_driver:
        print_device_note(search.base.machine.device)
        validate_device(search.base.machine.device)
    check_writable(search.runs)
    if search.storage:
        open_storage(with_password(search.storage_url))  # before anything is written
    with lock_sweep(search.runs, search.id), forgotten_if_refused(search.runs, search.id):
        manifest.create_or_continue(search)
        study = SearchStudy(manifest)
        states = _run_workers(study, options, launcher)
        if states is None:
            return ExitCode.INTERRUPTED
        if options.detach:
            _print_submitted(search, len(states))
            return ExitCode.OK
        study.fail_abandoned()
    points = point_results(search, manifest.read()["cells"])
    show_result(search, points)
    show_failed_workers(search, states)
    return search_exit_code(search, points, states)


def _print_submitted(search: SearchSpec, workers: int) -> None:
    submitted = f"{counted(workers, 'worker')} {is_are(workers)} submitted"
    print_wrapped(f"{submitted}{resume_hint(search.id, search.runs)}")


def _run_workers(
    study: SearchStudy, options: SweepOptions, launcher: Launcher
) -> dict[str, TrialState] | None:
    """Run the workers of a search and return their states; None after Ctrl-C."""
    search, left = study.search, study.points_left
    if not left:
        print_wrapped(
            f"{search.optuna_study_name} is complete: {search.n_trials} points were requested"
        )
    n_workers = _worker_count(search, options, launcher, left)
    workers = [search.worker_spec(number) for number in range(n_workers)]
    printer = PointPrinter(study.manifest)
    try:
        return supervise(launcher, workers, lambda _: printer.print_new(), options.detach)
    except KeyboardInterrupt:
        hint = resume_hint(search.id, search.runs)
        left = study.points_left
        what_now = hint if launcher.survives_driver else "; run the same command again to continue"
        print(
            f"interrupted: {counted(left, 'point')} {is_are(left)} left{what_now}", file=sys.stderr
        )
        return None


def search_exit_code(
    search: SearchSpec, points: Sequence[PointResult], states: Mapping[str, TrialState]
) -> int:
    """Return the exit code for the points and the states of the workers.

    A worker that failed while another one completed the search is no failure. A storage failure
    that left points unfinished also prints its message.
    """
    names = [*states, *(trial for point in points for trial in point.trials.values())]
    storage = storage_failures(search.runs, names)
    unfinished = any(point.state not in ENDED_NORMALLY for point in points)
    if storage and unfinished:
        print(storage_message(storage[0]), file=sys.stderr)
    if (storage and unfinished) or TrialState.HELD in states.values():
        return ExitCode.STORAGE
    no_worker_done = states and TrialState.DONE not in states.values()
    return ExitCode.FAILED if unfinished or no_worker_done else ExitCode.OK


def _worker_count(search: SearchSpec, options: SweepOptions, launcher: Launcher, left: int) -> int:
    """Return the number of workers for the points left, at most one per point."""
    if launcher.survives_driver and options.workers == AUTO:
        return -(-left // POINTS_PER_WORKER)
    return min(left, len(gpu_slots(options, search.base.machine.device)))
