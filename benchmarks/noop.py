"""Replace training by a function that only writes the record; imports the training stack.

Importing this module replaces `run_trial`, in the forkserver of the workers or in a process.
"""

import os

from clip_hparam.config.identity import canonical, label
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
    """Write records in the driver itself and without fsync, ten thousand in seconds."""
    os.fsync = lambda handle: None
    WorkerPool.submit = lambda self, jobs: [seal(job) for job in jobs] and []
    WorkerPool.poll = lambda self, handles: {}
