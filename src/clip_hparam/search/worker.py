"""A worker of a search: asks for a point, trains it and reports it, until no point is left.

A worker is launched like a trial. Its record, runs/.sweeps/<sweep_id>/worker_<n>, has a status
and a log.
"""

import os
import platform
import time
from typing import Any

from clip_hparam.config.worker_spec import WorkerSpec
from clip_hparam.records.paths import manifest_of_worker
from clip_hparam.records.provenance import slurm_job_id
from clip_hparam.records.record import Record
from clip_hparam.records.state import TrialState, unsealed_state
from clip_hparam.records.storage_errors import is_storage_error
from clip_hparam.search.point import STOPPED_STATES, Point
from clip_hparam.search.spec import SearchManifest
from clip_hparam.search.study import SearchStudy
from clip_hparam.training.callbacks.base import NO_CALLBACK, TrialCallback, TrialRunner
from clip_hparam.training.outcome import TrialOutcome

NOT_RETRIED_STATES = (TrialState.PRUNED, TrialState.DIVERGED, TrialState.FAILED)


class PointCallback(TrialCallback):
    """Reports the epochs of a point's first replicate, and prunes it by the search's pruner."""

    def __init__(self, point: Point) -> None:
        self.point = point

    def on_epoch_end(self, rows: list[dict[str, Any]]) -> bool:
        return self.point.report_epochs(rows)


def run_worker(spec: WorkerSpec, run: TrialRunner, stop: TrialCallback = NO_CALLBACK) -> TrialState:
    """Run a worker, record its state and return it.

    It is DONE if no point is left, QUEUED if `stop` asked the worker to stop.
    """
    record = Record(spec.machine.runs, spec.record_id)
    facts = {"host": platform.node(), "pid": os.getpid(), "job": slurm_job_id()}
    record.write_status(TrialState.RUNNING, **facts)
    try:
        manifest = SearchManifest(manifest_of_worker(record.folder))
        state = run_until_done(manifest, run, stop)
    except KeyboardInterrupt:
        record.write_status(TrialState.CANCELLED)
        raise
    except Exception as error:
        kind = "storage" if is_storage_error(error) else "error"
        record.write_failure(TrialState.FAILED, kind, f"{type(error).__name__}: {error}")
        raise
    record.write_status(state)
    return state


def run_until_done(
    manifest: SearchManifest, run: TrialRunner, stop: TrialCallback = NO_CALLBACK
) -> TrialState:
    """Train point after point; return DONE, or the state of a trial that stopped the worker."""
    study = SearchStudy(manifest)
    started = time.monotonic()
    while not stop.should_stop():
        timeout = study.search.timeout
        if timeout and time.monotonic() - started >= timeout:
            return TrialState.DONE
        with study.next_point() as point:
            if point is None:
                return TrialState.DONE
            state, results = _train_point(point, run)
            if state in STOPPED_STATES or any(map(_failed_on_storage, point.records)):
                return state
            study.tell(point, state, results)
    return TrialState.QUEUED


def _train_point(point: Point, run: TrialRunner) -> tuple[TrialState, list[dict[str, Any]]]:
    """Train the replicates of a point in order; return its state and the results so far.

    The first replicate is compared with other points after each epoch, the others at their end.
    """
    results: list[dict[str, Any]] = []
    for spec, record in zip(point.trial_specs.values(), point.records, strict=True):
        outcome = _final_outcome(record) if point.is_repeated else None
        if outcome is None:
            outcome = run(spec, NO_CALLBACK if results else PointCallback(point))
        if not results:
            point.report_epochs(record.rows())
        if outcome.result is None:
            return outcome.state, results
        results.append(outcome.result)
        if len(results) < len(point.trial_specs) and point.report_replicates(results):
            return TrialState.PRUNED, results
    return TrialState.DONE, results


def _final_outcome(record: Record) -> TrialOutcome | None:
    """Return how a trial ended that must not be retried; None for every other trial."""
    state = unsealed_state(record.status(), alive=True)
    is_final = state in NOT_RETRIED_STATES and not _failed_on_storage(record)
    return TrialOutcome(state) if is_final else None


def _failed_on_storage(record: Record) -> bool:
    """Return whether the disk failed and not the trial, which can then be resumed."""
    failed = record.status().get("state") == TrialState.FAILED
    return failed and (record.failure() or {}).get("kind") == "storage"
