"""A worker of a search: asks for a point, trains it, tells how it ended, until there is no more.

A worker is a job like a trial: a launcher starts it, follows it and queues it again. Its record,
runs/.sweeps/<sweep_id>/worker_<n>, has a status and a log.
"""

import os
import platform
import time

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.records.provenance import slurm_job_id
from clip_hparam.records.record import Record
from clip_hparam.records.storage_errors import is_storage_error
from clip_hparam.search.point import STOPPED_STATES, Point
from clip_hparam.search.spec import SearchManifest
from clip_hparam.search.study import SearchStudy
from clip_hparam.training.callbacks.base import Stop, TrialRunner, never

NOT_RETRIED_STATES = ("pruned", "diverged", "failed")


def run_worker(job: TrialSpec, run: TrialRunner, stop: Stop = never) -> str:
    """Its state: "done" if nothing is left to ask, "queued" if it was asked to stop."""
    record = Record(job.machine.runs, job.trial_id)
    facts = {"host": platform.node(), "pid": os.getpid(), "job": slurm_job_id()}
    record.write_status("running", **facts)
    try:
        manifest = SearchManifest(record.folder.parent.with_suffix(".json"))
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


def run_until_done(manifest: SearchManifest, run: TrialRunner, stop: Stop = never) -> str:
    """Point after point; "done" if nothing is left to ask, else the state of one that stopped."""
    study = SearchStudy(manifest)
    started = time.monotonic()
    while not stop():
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
    """Replicate by replicate; the first of them is compared with other points epoch by epoch."""
    results: list[dict[str, object]] = []
    for job, record in zip(point.trial_specs.values(), point.records, strict=True):
        said = _final_state(record) if point.is_repeated else None
        if said is None:
            said = run(job, never if results else point.report_epochs)
        if not results:
            point.report_epochs(record.rows())
        result = record.verified_result()
        if said != "done" or result is None:
            return ("failed" if said == "done" else said), results
        results.append(result)
        if len(results) < len(point.trial_specs) and point.report_replicates(results):
            return "pruned", results
    return "done", results


def _final_state(record: Record) -> str | None:
    """How a trial ended that is not to be tried again; None for all others."""
    state = record.status().get("state")
    return state if state in NOT_RETRIED_STATES and not _failed_on_storage(record) else None


def _failed_on_storage(record: Record) -> bool:
    """Whether the disk failed, not the trial: it is to be gone on with."""
    failed = record.status().get("state") == "failed"
    return failed and (record.failure() or {}).get("kind") == "storage"
