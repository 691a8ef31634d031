"""The driver of a sweep: skip trials that are done, run the others, and show the results."""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.config.text.count import counted, is_are
from clip_hparam.config.text.wrap import print_wrapped
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.design.design import Cell
from clip_hparam.design.families import real_family
from clip_hparam.launch.base import Launcher
from clip_hparam.launch.resources import print_device_note, validate_device
from clip_hparam.launch.supervise import supervise
from clip_hparam.records.lock import lock_sweep
from clip_hparam.records.manifests.manifest import manifest_tree, write_manifest
from clip_hparam.records.paths import command_line, log_path
from clip_hparam.records.record import Record
from clip_hparam.records.state import LIVE, TrialState
from clip_hparam.records.storage_errors import check_writable, storage_message
from clip_hparam.sweep.budget import predict_costs, validate_budget
from clip_hparam.sweep.checks import (
    CONSENT_MESSAGE,
    needs_consent,
    validate_detached_race,
    validate_replay,
    warn_if_code_changed,
)
from clip_hparam.sweep.compilation import with_compile_choice
from clip_hparam.sweep.progress import ProgressDisplay
from clip_hparam.sweep.refusals import forgotten_if_refused
from clip_hparam.sweep.rounds import race_verdicts, racing_rounds
from clip_hparam.sweep.stored_results import StoredResults, read_stored_results, result_of
from clip_hparam.sweep.sweep import Sweep
from clip_hparam.sweep.tables import failure_message, show_plan, show_table


def run_sweep(sweep: Sweep, options: SweepOptions, make_launcher: Callable[[], Launcher]) -> int:
    """Run a sweep until its trials have ended and return the exit code.

    Raises: ValueError for options that do not fit, FolderLockedError if another driver runs it.
    """
    for sentence in sweep.duplicate_cells:
        print_wrapped(sentence)
    stored = read_stored_results(sweep.specs, options.replay)
    launcher = make_launcher()
    has_work = len(stored.done) < len(sweep.specs)
    runs_here = has_work and not launcher.survives_driver
    if runs_here:
        print_device_note(sweep.planned[0].spec.machine.device)
    validate_replay(options, launcher)
    sweep, choice = with_compile_choice(sweep, launcher)
    refused = has_work and needs_consent(sweep.family, options)
    if options.dry_run or refused or options.budget != "none":
        show = options.dry_run or refused
        _show_or_validate_cost(sweep, options, launcher, stored.done, show)
    if refused:
        print(CONSENT_MESSAGE.format(sweep.family), file=sys.stderr)
        return ExitCode.WRONG_USE
    if options.dry_run:
        return ExitCode.OK
    validate_detached_race(sweep, options, launcher)
    if note := stored.note_of_lacking:
        print_wrapped(note)
    if runs_here:
        validate_device(sweep.planned[0].spec.machine.device)
    check_writable(sweep.runs)
    if choice.compile and has_work:
        print_wrapped(choice.reason)
    warn_if_code_changed(stored.git_states)
    with lock_sweep(sweep.runs, sweep.id):
        part, states = _run_rounds(sweep, launcher, stored.done, options.detach)
    if states is None:
        return ExitCode.INTERRUPTED
    if options.detach:
        return report_submitted(sweep, states)
    return _report_end(part, stored, states)


def report_submitted(sweep: Sweep, states: Mapping[str, TrialState]) -> int:
    """Print how many trials continue without this process, and return the exit code."""
    total, left = len(sweep.specs), sum(state in LIVE for state in states.values())
    done = sum(state == TrialState.DONE for state in states.values())
    held = [name for name, state in states.items() if state == TrialState.HELD]
    if left:
        print_wrapped(
            f"{left} of {counted(total, 'trial')} {is_are(left)} submitted"
            f"{resume_hint(sweep.id, sweep.runs)}"
        )
    if done:
        results = "" if left else f": {command_line('status', sweep.id, runs=sweep.runs)}"
        print_wrapped(f"{done} of {counted(total, 'trial')} {is_are(done)} done already{results}")
    if held:
        first = failure_message(sweep.runs, held[0])
        print(
            f"{len(held)} of {counted(total, 'trial')} {is_are(len(held))} held, the first:"
            f" {first}",
            file=sys.stderr,
        )
    return ExitCode.OK


def _report_end(sweep: Sweep, stored: StoredResults, states: Mapping[str, TrialState]) -> int:
    """Print the table of a sweep that has ended, and return the exit code."""
    show_table(sweep, stored.done, states)
    for line in race_verdicts(sweep):
        print_wrapped(line)
    code = sweep_exit_code(sweep, states)
    unchanged = stored.replays_without_effect()
    for name in unchanged:
        print_wrapped(f"{name}: the replay added nothing (see {log_path(sweep.runs, name)})")
    return ExitCode.FAILED if unchanged and code == ExitCode.OK else code


def _show_or_validate_cost(
    sweep: Sweep, options: SweepOptions, launcher: Launcher, done: set[str], show: bool
) -> None:
    """Print the plan if `show`, else raise ValueError if it exceeds the budget."""
    measure = options.budget != "none" and not launcher.survives_driver
    predictions = predict_costs(sweep, done, measure, launcher)
    capacity = launcher.capacity([sweep.specs[name] for name in predictions])
    if show:
        show_plan(sweep, done, predictions, capacity)
    else:
        validate_budget(options, predictions, capacity)


def _run_rounds(
    sweep: Sweep, launcher: Launcher, done: set[str], detach: bool
) -> tuple[Sweep, dict[str, TrialState] | None]:
    """Run the rounds of a sweep; return the last round and the states, None after Ctrl-C."""
    states: dict[str, TrialState] = {}
    part = sweep
    try:
        for part in racing_rounds(sweep):
            specs = {name: spec for name, spec in part.specs.items() if name not in states}
            states |= dict.fromkeys(specs.keys() & done, TrialState.DONE)
            missing = {name: spec for name, spec in specs.items() if name not in done}
            with forgotten_if_refused(part.runs, part.id):
                save_manifest(part)
                states |= _run_trials(part, missing, launcher, detach)
    except KeyboardInterrupt:
        planned = len(part.specs)
        left = sum(result_of(spec) is None for spec in part.specs.values())
        local_hint = "; run the same command again to continue"
        hint = resume_hint(sweep.id, sweep.runs) if launcher.survives_driver else local_hint
        print(
            f"interrupted: {left} of {counted(planned, 'trial')} {is_are(left)} left{hint}",
            file=sys.stderr,
        )
        return part, None
    return part, states


def _run_trials(
    sweep: Sweep, specs: Mapping[str, TrialSpec], launcher: Launcher, detach: bool
) -> dict[str, TrialState]:
    if not specs:
        return {}
    with ProgressDisplay(sweep, specs) as display:
        return supervise(launcher, list(specs.values()), display.update, detach)


def sweep_exit_code(sweep: Sweep, states: Mapping[str, TrialState]) -> int:
    """Return the exit code for the final states; a storage failure also prints its message."""
    failed = [name for name, state in states.items() if state == TrialState.FAILED]
    storage = storage_failures(sweep.runs, failed)
    if storage:
        print(storage_message(storage[0]), file=sys.stderr)
    if storage or TrialState.HELD in states.values():
        return ExitCode.STORAGE
    return ExitCode.OK if set(states.values()) <= {TrialState.DONE} else ExitCode.FAILED


def storage_failures(runs: Path, names: Iterable[str]) -> list[str]:
    """Return the messages of trials and search workers that failed because the storage did."""
    failures = filter(None, (Record(runs, name).failure() for name in names))
    return [failure["message"] for failure in failures if failure["kind"] == "storage"]


def resume_hint(sweep_id: str, runs: Path) -> str:
    """Return the end of a sentence about trials that continue without their driver."""
    watch = command_line("status", sweep_id, "--watch", runs=runs)
    cancel = command_line("cancel", sweep_id, runs=runs)
    return f" and continue without it; {watch} and the same command follow them, {cancel} ends them"


def save_manifest(sweep: Sweep) -> None:
    """Write the manifest of a sweep, before its first trial starts."""
    by_cell: dict[Cell, dict[str, str]] = {}
    for plan in sweep.planned:
        by_cell.setdefault(plan.cell, {})[str(plan.seed)] = plan.trial_id
    cells = [
        {"label": cell.label, "overrides": list(cell.overrides), "trials": trials}
        for cell, trials in by_cell.items()
    ]
    race = asdict(sweep.race) if sweep.race else None
    tree = manifest_tree(
        sweep.id, sweep.name, sweep.kind, cells, real_family(sweep.family), race=race,
        title=sweep.title, tags=sweep.tags,
    )  # fmt: skip
    write_manifest(sweep.runs, tree)
