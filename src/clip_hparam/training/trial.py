"""A whole trial: claim its folder, train it, and seal the record, whatever happens.

execute(job)  ->  runs/<trial_id>/result.json, or failure.json and a state that says why
"""

import os
import traceback
from functools import partial

from clip_hparam.config.recipe import canonical, label
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.distributed import SINGLE_PROCESS, DistributedContext, LostRankError, PeerError
from clip_hparam.records.atomic import utc_timestamp
from clip_hparam.records.lock import lock_folder
from clip_hparam.records.provenance import collect_provenance, slurm_job_id
from clip_hparam.records.record import Record
from clip_hparam.records.storage_errors import is_storage_error
from clip_hparam.training import checkpoint
from clip_hparam.training.callbacks.base import (
    Report,
    Say,
    Stop,
    Tick,
    TrialPruned,
    TrialStopped,
    never,
    quiet,
)
from clip_hparam.training.engine import DivergedError
from clip_hparam.training.numerics import device_of
from clip_hparam.training.trainer import train


def run_trial(
    job: TrialSpec,
    say: Say = quiet,
    tick: Tick = quiet,
    stop: Stop = never,
    ranks: DistributedContext = SINGLE_PROCESS,
    report: Report = never,
) -> str:
    """Run a job to its end and return its state; what goes wrong in a trial is on its record.

    A trial that is done is left as it is. Raises claim.BusyError if another process is writing it.
    `say` takes lines for people, `tick` takes (steps done, steps in all). `stop` is asked after
    each step: once it says yes the state is saved, and "queued" returned: to be gone on with.
    `report` takes the rows after each epoch; once it says yes, "pruned": not worth another epoch.

    All ranks of a trial call this. Rank 0 alone writes, speaks and knows how it ends; the others
    raise what goes wrong in them, and return "lost" where it goes wrong elsewhere.
    """
    record = Record(job.machine.runs, job.trial_id)
    if not ranks.is_main:
        return _run_other_rank(job, record, ranks)
    with lock_folder(record.folder):
        if record.is_done():
            return "done"
        for name in record.corrupted_files():
            say(f"{name} is damaged: set aside as {record.quarantine(name).name}")
        return _run_attempt(
            job, record, say, partial(_after_step, tick=tick, stop=stop), ranks, report
        )


def _run_attempt(
    job: TrialSpec, record: Record, say: Say, tick: Tick, ranks: DistributedContext, report: Report
) -> str:
    attempt = record.status().get("attempt", 0) + 1
    facts = {**collect_provenance(), "started": utc_timestamp(), "attempt": attempt}
    try:
        record.write_recipe(canonical(job.recipe), label(job.recipe))
        where = {"host": facts["host"], "pid": os.getpid(), "job": slurm_job_id()}
        record.write_status("running", **where, attempt=attempt)
        with ranks.connect(device_of(job.machine, ranks.local_rank), job.machine.rank_timeout):
            result = train(job, record, say, tick, ranks, report)
        record.write_result({**result, **facts, "finished": utc_timestamp()})
    except KeyboardInterrupt:
        record.write_failure("cancelled", "cancelled", "interrupted, by Ctrl-C or by SIGTERM")
        raise
    except TrialStopped:
        record.write_status("queued")
        say("stopped: the state is saved, the same command goes on")
        return "queued"
    except TrialPruned:
        checkpoint.clear(record.folder / "checkpoint")
        record.write_status("pruned")
        say(f"pruned after epoch {len(record.rows())}/{job.recipe.epochs}")
        return "pruned"
    except (DivergedError, LostRankError) as error:
        state = "diverged" if isinstance(error, DivergedError) else "lost"
        record.write_failure(state, state, str(error))
        say(str(error))
        return state
    except Exception as error:
        kind = "storage" if is_storage_error(error) else "error"
        message = f"{type(error).__name__}: {error}"
        record.write_failure("failed", kind, message, traceback=traceback.format_exc())
        say(traceback.format_exc())
        return "failed"
    checkpoint.clear(record.folder / "checkpoint")
    return "done"


def _run_other_rank(job: TrialSpec, record: Record, ranks: DistributedContext) -> str:
    """What a rank does that does not lead."""
    try:
        ranks.wait_for_main()
        with ranks.connect(device_of(job.machine, ranks.local_rank), job.machine.rank_timeout):
            train(job, record, quiet, quiet, ranks)
    except PeerError:
        return "lost"
    return "done"


def _after_step(step: int, steps: int, tick: Tick, stop: Stop) -> None:
    tick(step, steps)
    if stop():
        raise TrialStopped
