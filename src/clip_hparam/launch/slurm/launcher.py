"""hydra/launcher=submitit_slurm: trials as Slurm job arrays, which continue without the driver.

submitit makes the batch script from the options that its users know, but nothing is pickled: a
job reads its trials from array.json (job_array.py) by its task number. Jobs are therefore complete
even if the driver is killed right after sbatch.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from clip_hparam.config.options.launcher_options import (
    LauncherOptions,
    describe_request,
    signal_delay_seconds,
    tasks_per_job,
)
from clip_hparam.config.text.count import counted, is_are, was_were
from clip_hparam.config.text.wrap import print_wrapped
from clip_hparam.config.worker_spec import LaunchSpec, WorkerSpec
from clip_hparam.launch.base import Capacity, JobHandle, LaunchContext
from clip_hparam.launch.code_snapshot import create_snapshot
from clip_hparam.launch.slurm import job_poller
from clip_hparam.launch.slurm.batch_script import submission_script, validate_runs_folder
from clip_hparam.launch.slurm.cluster.request_check import RequestCheck, check_request
from clip_hparam.launch.slurm.commands import SchedulerError, max_array_size, missing_command
from clip_hparam.launch.slurm.environment import with_user_defaults
from clip_hparam.launch.slurm.job_array import JobArray, JobLimits, chunks, create_job_array
from clip_hparam.launch.slurm.option_checks import validate_options
from clip_hparam.launch.slurm.sbatch import submit_array
from clip_hparam.records.paths import array_folder
from clip_hparam.records.state import SCHEDULED, TrialState


class SlurmLauncher:
    """Submits trials that have no job yet, and polls these and the others."""

    survives_driver = True

    def __init__(self, context: LaunchContext) -> None:
        """Raise ValueError for options that a Slurm job cannot have."""
        self.context = context
        self.options = with_user_defaults(LauncherOptions(**context.options), os.environ)
        self.poller = job_poller.JobPoller([])
        validate_options(self.options)
        validate_runs_folder(context.runs)
        trials_per_job = context.driver.trials_per_job
        if tasks_per_job(self.options) > 1 and trials_per_job > 1:
            raise ValueError(
                f"trials_per_job={trials_per_job} is for trials of one task: leave it"
                " out, or hydra.launcher.nodes and tasks_per_node"
            )

    def capacity(self, specs: Sequence[LaunchSpec]) -> Capacity:
        for spec in specs:
            with_ranks_of_tasks(spec, self.options)  # refuses ranks that do not divide a batch
        size = self.context.driver.trials_per_job
        count = -(-len(specs) // size)
        at_once = max(1, min(count, self.options.array_parallelism or count))
        each = f" of up to {size} trials" if size > 1 else ""
        minutes = self.options.timeout_min
        limit = "the partition's time limit" if minutes is None else f"{minutes} min"
        return Capacity(
            at_once,
            f"in {counted(count, 'Slurm job')}{each}, each of up to {limit}, once {at_once} run at"
            " a time",
            describe_request(self.options),
            self._answer_of_slurm(specs) if specs else (),
        )

    def submit(self, specs: Sequence[LaunchSpec]) -> list[JobHandle]:
        """Return the handle of each trial's existing Slurm job, or of a new one.

        Raises: ValueError if Slurm refuses a job; SchedulerError if it does not respond.
        """
        command = missing_command()
        if command:
            raise ValueError(
                f"hydra/launcher=submitit_slurm needs Slurm, and there is no {command} on PATH:"
                " type it on a login node, or try hydra/launcher=workers"
            )
        specs = [with_ranks_of_tasks(spec, self.options) for spec in specs]
        earlier = job_poller.create_poller(self.context.runs)
        trial_ids = {spec.trial_id for spec in specs}
        newest = job_poller.newest_handles(earlier)
        handles = [handle for handle in newest if handle.trial_id in trial_ids]
        states = earlier.poll_until_settled(handles)
        queued = [handle for handle in handles if states[handle.trial_id] in SCHEDULED]
        if queued:
            print_wrapped(
                f"{counted(len(queued), 'trial')} {is_are(len(queued))} in Slurm already: following"
                f" {'it' if len(queued) == 1 else 'them'}"
            )
        queued_ids = {handle.trial_id for handle in queued}
        arrays = self._submit_arrays([spec for spec in specs if spec.trial_id not in queued_ids])
        self.poller = job_poller.JobPoller([*earlier.arrays, *arrays])
        return queued + [handle for array in arrays for handle in array.handles()]

    def poll(self, handles: Sequence[JobHandle]) -> dict[str, TrialState]:
        return self.poller.poll(handles)

    def cancel(self, handles: Sequence[JobHandle]) -> None:
        job_poller.cancel_jobs(handles)

    def _answer_of_slurm(self, specs: Sequence[LaunchSpec]) -> tuple[str, ...]:
        """Return what Slurm answers about the job of these trials, as sentences of a plan."""
        try:
            check = self._check_request(specs)
        except SchedulerError as error:
            return (f"not checked with Slurm: {error}",)
        accepted = ["Slurm accepts such a job (sbatch --test-only)"] if check.is_accepted else []
        return (*accepted, *check.notes)

    def _check_request(self, specs: Sequence[LaunchSpec]) -> RequestCheck:
        """Return what Slurm answers about the job of the first of these trials.

        Raises:
            ValueError: Slurm would refuse the job or never start it.
            SchedulerError: Slurm is absent or does not respond.
        """
        command = missing_command()
        if command:
            raise SchedulerError(f"there is no {command} on PATH")
        context = self.context
        pack = tuple(spec.trial_id for spec in specs[: context.driver.trials_per_job])
        folder = array_folder(context.runs.absolute(), context.sweep_id, "check")
        array = JobArray(folder, context.sweep_name, (pack,), self._job_limits(), os.getuid())
        return check_request(submission_script(array, self.options, None), self.options)

    def _print_check(self, specs: Sequence[LaunchSpec]) -> None:
        """Print why the jobs would wait; nothing if Slurm does not respond, as sbatch is next."""
        with suppress(SchedulerError):
            for note in self._check_request(specs).notes:
                print(f"note: {note}", file=sys.stderr)

    def _job_limits(self) -> JobLimits:
        options, driver = self.options, self.context.driver
        return JobLimits(
            timeout_min=options.timeout_min,
            signal_delay_s=signal_delay_seconds(options),
            max_num_timeout=options.max_num_timeout,
            workers=driver.workers,
            retries=driver.retries,
        )

    def _submit_arrays(self, specs: Sequence[LaunchSpec]) -> list[JobArray]:
        """Submit trials as arrays of at most Slurm's MaxArraySize; all of them or none."""
        options, context, driver = self.options, self.context, self.context.driver
        if specs:
            self._print_check(specs)
        packs = chunks(specs, driver.trials_per_job)
        code = create_snapshot(context.runs) if packs and driver.snapshot else None
        arrays: list[JobArray] = []
        for part in chunks(packs, max_array_size() if packs else 1):
            array = create_job_array(
                context.runs, context.sweep_id, context.sweep_name, part, self._job_limits()
            )
            try:
                job_id = submit_array(array, options, code)
            except ValueError as error:
                count = _cancel_arrays(arrays)
                note = (
                    f"; {counted(count, 'job')} submitted before it {was_were(count)} cancelled"
                    if count
                    else ""
                )
                raise ValueError(f"{error}{note}") from None
            array.write_job_id(job_id)
            arrays.append(array)
        return arrays


def with_ranks_of_tasks(spec: LaunchSpec, options: LauncherOptions) -> LaunchSpec:
    """Return the trial with one rank per task of its Slurm job.

    Raises: ValueError if the trial cannot have as many ranks as the job has tasks.
    """
    count = tasks_per_job(options)
    if count == 1:
        return spec
    if isinstance(spec, WorkerSpec):
        raise ValueError(
            "a search gives each of its trials one task of Slurm: leave hydra.launcher.nodes and"
            " tasks_per_node at 1"
        )
    if spec.gpus_per_trial not in (1, count):
        raise ValueError(
            f"gpus_per_trial={spec.gpus_per_trial}, and hydra.launcher.nodes x tasks_per_node makes"
            f" {count} tasks, each a process of the trial: leave gpus_per_trial out"
        )
    try:
        return replace(spec, gpus_per_trial=count)
    except ValueError as error:
        raise ValueError(f"hydra.launcher.nodes x tasks_per_node makes {error}") from None


def _cancel_arrays(arrays: Sequence[JobArray]) -> int:
    """Cancel arrays that were submitted before Slurm refused one; return the number of jobs."""
    job_poller.cancel_jobs([handle for array in arrays for handle in array.handles()])
    for array in arrays:
        shutil.rmtree(array.folder)
    return sum(len(array.packs) for array in arrays)
