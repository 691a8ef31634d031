"""Why trials and search workers have ended without being done, from their records."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from clip_hparam.records.manifest import SweepManifest
from clip_hparam.records.paths import command_line, worker_records
from clip_hparam.records.record import Record
from clip_hparam.records.state import FINISHED, LIVE, TrialState

QUIET_STATES = (*FINISHED, *LIVE, TrialState.PLANNED)
PROCESS_FACTS = ("host", "pid", "job")


def explain_failure(record: Record, state: str) -> dict[str, Any] | None:
    """Return the failure of a trial that is not done; of a lost one, that of its search worker."""
    if state == TrialState.DONE:
        return None
    of_worker = _worker_failure(record) if state == TrialState.LOST else None
    return of_worker or record.failure()


def list_reasons(runs: Path, manifest: SweepManifest, states: Mapping[str, str]) -> list[str]:
    """Return a line for each kind of failure among the trials of a sweep, and for each worker.

    states: of the trials, by id.
    """
    groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for trial_id in manifest.trial_ids:
        state = states[trial_id]
        failure = None if state in QUIET_STATES else explain_failure(Record(runs, trial_id), state)
        if failure is not None:
            found = groups.setdefault((state, failure["kind"]), [])
            found.append((trial_id, _first_line(failure["message"])))
    lines = []
    for (state, _), trials in groups.items():
        why = command_line("why", trials[0][0], runs=runs)
        lines.append(f"{len(trials)} {state}: {trials[0][1]} ({why})")
    return lines + list(_worker_reasons(runs, manifest.sweep_id))


def _worker_reasons(runs: Path, sweep_id: str) -> Iterator[str]:
    for folder in sorted(worker_records(runs, sweep_id)):
        worker = Record(folder.parent, folder.name)
        state, failure = worker.status().get("state"), worker.failure()
        if failure is not None and state not in QUIET_STATES:
            yield f"{folder.name} {state}: {_first_line(failure['message'])}"


def _worker_failure(record: Record) -> dict[str, Any] | None:
    """Return the failure of the search worker in whose process a trial ran; None if there is none.

    The message names the worker.
    """
    status = record.status()
    for folder in worker_records(record.folder.parent):
        worker = Record(folder.parent, folder.name)
        failure, facts = worker.failure(), worker.status()
        same = all(facts.get(name) == status.get(name) for name in PROCESS_FACTS)
        if failure is not None and same and "pid" in facts:
            return {**failure, "message": f"its search worker: {failure['message']}"}
    return None


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
