"""Ask Slurm about the job arrays of a sweep, for its plan and before they are submitted."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from clip_hparam.config.options.launcher_options import LauncherOptions
from clip_hparam.config.worker_spec import LaunchSpec
from clip_hparam.launch.base import LaunchContext
from clip_hparam.launch.slurm.batch_script import submission_script
from clip_hparam.launch.slurm.cluster.partitions import QUERY_SECONDS
from clip_hparam.launch.slurm.cluster.request_check import RequestCheck, check_request
from clip_hparam.launch.slurm.commands import SchedulerError, max_array_size, missing_command
from clip_hparam.launch.slurm.job_array import JobArray, job_limits
from clip_hparam.records.paths import array_folder

Packs = Sequence[Sequence[LaunchSpec]]
"""The trials of each job."""


def plan_answers(context: LaunchContext, options: LauncherOptions, packs: Packs) -> tuple[str, ...]:
    """Return what Slurm answers about the first job array of a sweep, as lines of its plan.

    Raises: ValueError if Slurm would refuse the jobs, or never start them.
    """
    try:
        check = _check_array(context, options, packs[: max_array_size(QUERY_SECONDS)])
    except SchedulerError as error:
        return (f"not checked with Slurm: {error}",)
    accepted = ["Slurm accepts such jobs (sbatch --test-only)"] if check.is_accepted else []
    return (*accepted, *check.notes)


def print_waits(context: LaunchContext, options: LauncherOptions, packs: Packs) -> None:
    """Print why the jobs would wait; nothing if Slurm does not respond, as sbatch is next.

    One job is checked: sbatch itself reports a limit on the number of jobs.

    Raises: ValueError if Slurm would refuse the jobs, or never start them.
    """
    with suppress(SchedulerError):
        for note in _check_array(context, options, packs[:1]).notes:
            print(f"note: {note}", file=sys.stderr)


def _check_array(context: LaunchContext, options: LauncherOptions, packs: Packs) -> RequestCheck:
    command = missing_command()
    if command:
        raise SchedulerError(f"there is no {command} on PATH")
    ids = tuple(tuple(spec.trial_id for spec in pack) for pack in packs)
    folder = array_folder(context.runs.absolute(), context.sweep_id, "check")
    limits = job_limits(options, context.driver)
    array = JobArray(folder, context.sweep_name, ids, limits, os.getuid())
    return check_request(submission_script(array, options, None), options)
