"""A worker of a search: asks for a point, trains it and reports it, until no point is left.

A worker is launched like a trial. Its record, runs/.sweeps/<sweep_id>/worker_<n>, has a status
and a log.
"""

import os
import platform
import time
from typing import Any

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.records.paths import manifest_of_worker
from clip_hparam.records.provenance import slurm_job_id
from clip_hparam.records.record import Record
from clip_hparam.records.storage_errors import is_storage_error
from clip_hparam.search.point import STOPPED_STATES, Point
from clip_hparam.search.spec import SearchManifest
from clip_hparam.search.study import SearchStudy
from clip_hparam.training.callbacks.base import NO_CALLBACK, TrialCallback, TrialRunner

NOT_RETRIED_STATES = ("pruned", "diverged", "failed")


class PointCallback(TrialCallback):
    """Reports the epochs of a point's first replicate, and prunes it by the search's pruner."""

    def __init__(self, point: Point) -> None:
        self.point = point

    def on_epoch_end(self, rows: list[dict[str, Any]]) -> bool:
        return self.point.report_epochs(rows)


def run_worker(spec: TrialSpec, run: TrialRunner, stop: TrialCallback = NO_CALLBACK) -> str:
    """Run a worker, record its state and return it.

    It is "done" if no point is left, "queued" if `stop` asked the worker to stop.
    """
    record = Record(spec.machine.runs, spec.trial_id)
    facts = {"host": platform.node(), "pid": os.getpid(), "job": slurm_job_id()}
    record.write_status("running", **facts)
    try:
        manifest = SearchManifest(manifest_of_worker(record.folder))
        state = run_until_done(manifest, run, stop)
    except KeyboardInterrupt:
        record.write_status("cancelled")
        raise
    except Exception as error:
        kind = "storage" if is_storage_error(error) else "error"
        record.write_failure("failed", kind, f"{type(error).__name__}: {error}")
        raise
    record.write_status(state)
    return state


def run_until_done(
    manifest: SearchManifest, run: TrialRunner, stop: TrialCallback = NO_CALLBACK
) -> str:
    """Train point after point; return "done", or the state of a trial that stopped the worker."""
    study = SearchStudy(manifest)
    started = time.monotonic()
    while not stop.should_stop():
        timeout = study.search.timeout
        if timeout and time.monotonic() - started >= timeout:
            return "done"
        with study.next_point() as point:
            if point is None:
                return "done"
            state, results = _train_point(point, run)
            if state in STOPPED_STATES or any(map(_failed_on_storage, point.records)):
                return state
            study.tell(point, state, results)
    return "queued"


def _train_point(point: Point, run: TrialRunner) -> tuple[str, list[dict[str, object]]]:
    """Train the replicates of a point in order; return its state and the results so far.

    The first replicate is compared with other points after each epoch, the others at their end.
    """
    results: list[dict[str, object]] = []
    for spec, record in zip(point.trial_specs.values(), point.records, strict=True):
        state = _final_state(record) if point.is_repeated else None
        if state is None:
            state = run(spec, NO_CALLBACK if results else PointCallback(point))
        if not results:
            point.report_epochs(record.rows())
        result = record.verified_result()
        if state != "done" or result is None:
            return ("failed" if state == "done" else state), results
        results.append(result)
        if len(results) < len(point.trial_specs) and point.report_replicates(results):
            return "pruned", results
    return "done", results


def _final_state(record: Record) -> str | None:
    """Return the state of a trial that must not be retried; None for every other trial."""
    state = record.status().get("state")
    return state if state in NOT_RETRIED_STATES and not _failed_on_storage(record) else None


def _failed_on_storage(record: Record) -> bool:
    """Return whether the disk failed and not the trial, which can then be resumed."""
    failed = record.status().get("state") == "failed"
    return failed and (record.failure() or {}).get("kind") == "storage"
