"""Submit a job array with sbatch: the job id, repetitions, error messages."""

import shutil
import sys
import time
from pathlib import Path

from clip_hparam.config.options.launcher_options import LauncherOptions
from clip_hparam.launch.slurm.batch_script import submission_script
from clip_hparam.launch.slurm.cluster.refusals import (
    UNREACHABLE_WORDS,
    refusal_message,
    refusal_reason,
)
from clip_hparam.launch.slurm.commands import SchedulerError, run_command
from clip_hparam.launch.slurm.job_array import SCRIPT_FILE, JobArray
from clip_hparam.launch.slurm.queries import find_array_id

RETRY_SECONDS = (2.0, 4.0, 8.0, 16.0, 30.0)  # between attempts while Slurm does not respond
SBATCH_TIMEOUT_SECONDS = 60.0


def submit_array(array: JobArray, options: LauncherOptions, code: Path | None) -> str:
    """Submit an array and return its job id; retry while Slurm does not respond.

    Raises: ValueError if sbatch refuses the array, whose folder is then deleted; SchedulerError if
    Slurm does not respond at all.
    """
    path = array.folder / SCRIPT_FILE
    path.write_text(submission_script(array, options, code))
    for pause in (*RETRY_SECONDS, None):
        done = run_command("sbatch", "--parsable", str(path), timeout=SBATCH_TIMEOUT_SECONDS)
        if not done.returncode:
            return done.stdout.strip().partition(";")[0]
        reason = refusal_reason(done.stderr)
        if not any(word in done.stderr.lower() for word in UNREACHABLE_WORDS):
            shutil.rmtree(array.folder)
            raise ValueError(refusal_message(reason, options))
        if pause is not None:
            print(f"note: sbatch: {reason}; trying again", file=sys.stderr)
            time.sleep(pause)
            job_id = _find_submitted(array)
            if job_id is not None:
                return job_id
    raise SchedulerError(f"sbatch: {reason}: is Slurm up (scontrol ping)?")


def _find_submitted(array: JobArray) -> str | None:
    """Return the job id of an array that Slurm accepted without responding; None if it did not."""
    try:
        return find_array_id(array)
    except SchedulerError:
        return None
