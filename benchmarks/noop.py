"""The training stack, and a trial that trains nothing: it only seals its record.

Importing this module puts it in the place of the real one, in a worker's server or in a process.
"""

import os

from clip_hparam.config.recipe import canonical, label
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.local.pool import WorkerPool
from clip_hparam.records.lock import lock_folder
from clip_hparam.records.provenance import code_git_state
from clip_hparam.records.record import Record
from clip_hparam.training import trial
from clip_hparam.training.outcome import TrialOutcome

RESULT = {
    "git": code_git_state(),
    "metrics": {"test_acc1.raw.selected": 0.0, "selection_acc1.raw.selected": 0.0},
    "epochs": {"selected": 0, "last": 0},
    "selected_weights": "raw",
    "steps": 1,
    "cost": {"seconds": 1.0, "train_seconds": 0.5},
}


def seal(job: TrialSpec, *_: object, **__: object) -> TrialOutcome:
    record = Record(job.machine.runs, job.trial_id)
    with lock_folder(record.folder):
        record.write_recipe(canonical(job.recipe), label(job.recipe))
        record.write_rows([{"epoch": 0, "step": 1}])
        record.write_result(RESULT)
    return TrialOutcome("done", RESULT)


trial.run_trial = seal


def at_once() -> None:
    """Seal ten thousand records in seconds: in the driver itself, without waiting for the disk."""
    os.fsync = lambda handle: None
    WorkerPool.submit = lambda self, jobs: [seal(job) for job in jobs] and []
    WorkerPool.poll = lambda self, handles: {}
