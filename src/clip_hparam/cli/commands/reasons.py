"""Why trials and search workers have ended without being done, from their records."""

import shlex
import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from clip_hparam.cli.commands.name_lookup import trial_states
from clip_hparam.config.text.override_words import program_words
from clip_hparam.config.trial_spec import trial_words
from clip_hparam.launch.slurm import job_poller
from clip_hparam.launch.slurm.waiting import explain_wait
from clip_hparam.records.manifests.manifest import SweepManifest, read_manifests
from clip_hparam.records.paths import LOG_FILE, command_line, worker_records
from clip_hparam.records.record import Record
from clip_hparam.records.state import FINISHED, LIVE, TrialState, trial_state
from clip_hparam.subprocesses import signal_cause
from clip_hparam.sweep.display.failures import Ended, reason_text
from clip_hparam.sweep.typed_command import typed_command

QUIET_STATES = (*FINISHED, *LIVE, TrialState.PLANNED)
PROCESS_FACTS = ("host", "pid", "job")


def explain_sweep(runs: Path, manifest: SweepManifest) -> dict[str, Any]:
    """Return the states of a sweep's trials, by cell, and the reason of each failure."""
    states = trial_states(runs, manifest.trial_ids)
    failed = {name: state for name, state in states.items() if state not in (*FINISHED, *LIVE)}
    return {
        "sweep": manifest.sweep_id,
        "name": manifest.name,
        "title": manifest.title,
        "states": dict(Counter(states.values())),
        "cells": {
            cell.label: dict(Counter(states[name] for name in cell.trials.values()))
            for cell in manifest.cells
        },
        "failures": [
            {
                "trial_id": name,
                "name": manifest.trial_names[name],
                "state": state,
                "message": (failure_of(Record(runs, name), state) or {}).get("message"),
            }
            for name, state in failed.items()
            if state != TrialState.PLANNED
        ]
        + list_failed_workers(runs, manifest),
    }


def explain_trial(record: Record, lines: int = 20) -> dict[str, Any]:
    """Return the state of a trial, its failure, its last log lines and the command to rerun it."""
    manifests = read_manifests(record.folder.parent)
    planned_names = (sweep.trial_names.get(record.trial_id) for sweep in manifests)
    submitted = job_poller.submitted_trials(record.folder.parent)
    state = submitted.states.get(record.trial_id) or trial_state(record)
    reason = submitted.reasons.get(record.trial_id, "")
    return {
        "trial_id": record.trial_id,
        "state": state,
        "label": (record.recipe() or {}).get("label") or next(filter(None, planned_names), None),
        "status": record.status(),
        "waits": explain_wait(reason),
        "failure": explain_failure(record, state),
        "log": _last_log_lines(record, lines),
        **_rerun_facts(record, manifests, record.trial_id in submitted.states),
    }


def explain_failure(record: Record, state: TrialState) -> dict[str, Any] | None:
    """Return the failure of a trial that is not done; of a lost one, that of its search worker."""
    if state == TrialState.DONE:
        return None
    of_worker = None
    if state == TrialState.LOST:
        sweeps = read_manifests(record.folder.parent)
        ids = [sweep.sweep_id for sweep in sweeps if record.trial_id in sweep.trial_ids]
        of_worker = _worker_failure(record, ids)
    return of_worker or failure_of(record, state)


def failure_of(record: Record, state: TrialState) -> dict[str, Any] | None:
    """Return the failure of the last attempt at a trial; None if there is none.

    The failure of a process that was killed while it ran the trial is on no record: it is deduced
    from status.json, and failure.json is that of an attempt before.
    """
    status = record.status()
    if state != TrialState.LOST or status.get("state") not in LIVE:
        return record.failure()
    place = f"process {status.get('pid', 'unknown')} on {status.get('host', 'an unknown host')}"
    remedy = "raise hydra.launcher.mem_gb" if status.get("job") else "lower machine.micro_batch"
    message = (
        f"its {place} ended without recording a reason, as by {signal_cause(signal.SIGKILL)}:"
        f" run the same command again to continue from its checkpoint; {remedy} if memory was short"
    )
    time = status.get("heartbeat", "")
    return {"kind": str(TrialState.LOST), "message": message, "time": time, "log": LOG_FILE}


def list_failed_workers(runs: Path, manifest: SweepManifest) -> list[dict[str, str]]:
    """Return name, state and message of each worker of a search that ended by a failure."""
    workers = sorted(_failed_workers(runs, manifest.sweep_id), key=lambda worker: worker.folder)
    return [
        {
            "trial_id": worker.folder.name,
            "name": "",
            "state": worker.status()["state"],
            "message": (worker.failure() or {})["message"],
        }
        for worker in workers
    ]


def ended_trials(facts: Iterable[Mapping[str, Any]]) -> list[Ended]:
    """Return the trials that `explain_sweep` and `retry` list, for `failure_lines`."""
    return [
        Ended(one["trial_id"], one["name"], one["state"], one["message"] or "did not end")
        for one in facts
    ]


def list_reasons(
    runs: Path, manifest: SweepManifest, states: Mapping[str, TrialState]
) -> list[str]:
    """Return a line for each kind of failure among the trials of a sweep, and for each worker.

    states: of the trials, by id.
    """
    groups: dict[tuple[TrialState, str], list[tuple[str, str]]] = {}
    for trial_id in manifest.trial_ids:
        state = states[trial_id]
        if state in QUIET_STATES:
            continue
        record = Record(runs, trial_id)
        failure = failure_of(record, state)
        with_worker = state == TrialState.LOST and _worker_failure(record, [manifest.sweep_id])
        if failure is not None and not with_worker:
            group = groups.setdefault((state, failure["kind"]), [])
            group.append((trial_id, _first_line(failure["message"])))
    lines = []
    for (state, _), trials in groups.items():
        why = command_line("why", trials[0][0], runs=runs)
        lines.append(f"{len(trials)} {reason_text(state, trials[0][1])} ({why})")
    for worker in list_failed_workers(runs, manifest):
        lines.append(f"{worker['trial_id']} {worker['state']}: {_first_line(worker['message'])}")
    return lines


def _rerun_facts(
    record: Record, manifests: Sequence[SweepManifest], is_queued: bool
) -> dict[str, Any]:
    """Return the typed overrides of a trial, the command that runs it again, and unknown facts.

    is_queued: whether the trial has a job in Slurm, which its record does not tell before it runs.
    """
    from clip_hparam.cli.hydra_app import rerun  # lazy: Hydra and numpy, 0.5 s

    planned = rerun.planned_overrides(manifests)
    if record.recipe() is None and record.trial_id not in planned:
        unknown = ("its recipe.json is missing or damaged",)
        return {"typed": [], "rerun": None, "rerun_in_slurm": None, "unknown": unknown}
    again = rerun.rerun_trial(record, planned)
    in_slurm = is_queued or bool(record.status().get("job"))
    return {
        "typed": trial_words(rerun.typed_overrides(record, planned)),
        "rerun": shlex.join([*program_words(), *again.overrides]),
        "rerun_in_slurm": _sweep_command(record, manifests) if in_slurm else None,
        "unknown": again.unknown,
    }


def _sweep_command(record: Record, manifests: Iterable[SweepManifest]) -> str | None:
    """Return the command of the newest sweep of a trial; None if it is not on record.

    In Slurm, the command of the trial alone would train on the computer on which it is typed.
    """
    sweeps = [sweep for sweep in manifests if record.trial_id in sweep.trial_ids and sweep.command]
    if not sweeps:
        return None
    return str(typed_command(max(sweeps, key=SweepManifest.age), record.folder.parent))


def _last_log_lines(record: Record, lines: int) -> list[str]:
    log = record.read(LOG_FILE) or b""
    return log.decode(errors="replace").splitlines()[-lines:]


def _failed_workers(runs: Path, sweep_id: str) -> Iterator[Record]:
    """Yield the workers of a search that ended by a failure, in no order."""
    for folder in worker_records(runs, sweep_id):
        worker = Record(folder.parent, folder.name)
        if worker.failure() is not None and worker.status().get("state") not in QUIET_STATES:
            yield worker


def _worker_failure(record: Record, sweep_ids: Iterable[str]) -> dict[str, Any] | None:
    """Return the failure of the search worker that ran a trial; None if there is none.

    It is the worker in whose process the trial ran; if the trial had not started, the worker of
    its search that failed last.
    """
    runs, status = record.folder.parent, record.status()
    workers = [worker for sweep_id in sweep_ids for worker in _failed_workers(runs, sweep_id)]
    if "pid" in status:
        facts = [status.get(name) for name in PROCESS_FACTS]
        workers = [w for w in workers if [w.status().get(n) for n in PROCESS_FACTS] == facts]
    failures = sorted((w.failure() or {} for w in workers), key=lambda failure: failure["time"])
    if not failures:
        return None
    return {**failures[-1], "message": f"its search worker: {failures[-1]['message']}"}


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
