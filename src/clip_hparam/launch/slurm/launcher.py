"""hydra/launcher=submitit_slurm: trials as job arrays of Slurm, which outlive their driver.

submitit makes the batch script from the keys that its users know. What it would pickle is JSON
here (launch.arrays): a job reads its trials from array.json by its task number, so a driver that
dies right after sbatch leaves whole jobs behind, and a stale temporary file costs no result.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace

from clip_hparam.config.launcher_options import (
    LauncherOptions,
    signal_delay_seconds,
    tasks_per_job,
    validate_options,
)
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.base import Capacity, JobHandle, LaunchContext
from clip_hparam.launch.code_snapshot import create_snapshot
from clip_hparam.launch.slurm import queries, tracker
from clip_hparam.launch.slurm.job_array import JobArray, JobLimits, chunks, create_job_array
from clip_hparam.launch.slurm.sbatch import submit_array
from clip_hparam.records.state import LIVE


class SlurmLauncher:
    """Submits what does not live yet, follows the rest."""

    survives_driver = True

    def __init__(self, order: LaunchContext) -> None:
        """Raises ValueError for what no scheduler can do."""
        self.order = order
        self.options = LauncherOptions(**order.options)
        self.following = tracker.ArrayTracker([])
        validate_options(self.options)
        if tasks_per_job(self.options) > 1 and order.driver.trials_per_job > 1:
            raise ValueError(
                f"trials_per_job={order.driver.trials_per_job} is for trials of one task: leave it"
                " out, or hydra.launcher.nodes and tasks_per_node"
            )

    def capacity(self, jobs: Sequence[TrialSpec]) -> Capacity:
        size = self.order.driver.trials_per_job
        count = -(-len(jobs) // size)
        at_once = max(1, min(count, self.options.array_parallelism))
        each = f" of up to {size} trials" if size > 1 else ""
        limit = f"{self.options.timeout_min} min"
        return Capacity(
            at_once,
            f"in {count} Slurm jobs{each}, each of up to {limit}, once {at_once} run at a time",
        )

    def submit(self, jobs: Sequence[TrialSpec]) -> list[JobHandle]:
        """A handle for each job: that of a job that lives in Slurm already, or a new one.

        Raises ValueError for what Slurm refuses, SchedulerError while it does not answer.
        """
        for command in ("sbatch", "srun"):
            if shutil.which(command) is None:
                raise ValueError(
                    f"hydra/launcher=submitit_slurm needs Slurm, and there is no {command} on PATH:"
                    " type it on a login node, or try hydra/launcher=workers"
                )
        jobs = [with_ranks_of_tasks(job, self.options) for job in jobs]
        before = tracker.create_tracker(self.order.runs)
        wanted = {job.trial_id for job in jobs}
        sent = [handle for handle in tracker.newest_handles(before) if handle.trial_id in wanted]
        states = before.settled(sent)
        alive = [handle for handle in sent if states[handle.trial_id] in (*LIVE, "held")]
        if alive:
            print(f"{len(alive)} trials are in Slurm already: following them")
        living = {handle.trial_id for handle in alive}
        arrays = self._send([job for job in jobs if job.trial_id not in living])
        self.following = tracker.ArrayTracker([*before.arrays, *arrays])
        return alive + [handle for array in arrays for handle in array.handles()]

    def poll(self, handles: Sequence[JobHandle]) -> dict[str, str]:
        return self.following.poll(handles)

    def cancel(self, handles: Sequence[JobHandle]) -> None:
        tracker.cancel_jobs(handles)

    def _send(self, jobs: Sequence[TrialSpec]) -> list[JobArray]:
        """One sbatch an array."""
        options, order, driver = self.options, self.order, self.order.driver
        limits = JobLimits(
            timeout_min=options.timeout_min,
            signal_delay_s=signal_delay_seconds(options),
            max_num_timeout=options.max_num_timeout,
            workers=driver.workers,
            retries=driver.retries,
        )
        packs = chunks(jobs, driver.trials_per_job)
        code = create_snapshot(order.runs) if packs and driver.snapshot else None
        sent: list[JobArray] = []
        for some in chunks(packs, queries.max_array_size() if packs else 1):
            array = create_job_array(order.runs, order.sweep_id, order.sweep_name, some, limits)
            try:
                array.write_job_id(submit_array(array, options, code))
            except ValueError as error:
                raise ValueError(f"{error}{_cancel_submitted(sent)}") from None
            sent.append(array)
        return sent


def with_ranks_of_tasks(job: TrialSpec, options: LauncherOptions) -> TrialSpec:
    """A job whose ranks are the tasks of Slurm. Raises ValueError if it cannot be."""
    count = tasks_per_job(options)
    if count == 1:
        return job
    if job.worker:
        raise ValueError(
            "a search gives each of its trials one task of Slurm: leave hydra.launcher.nodes and"
            " tasks_per_node at 1"
        )
    if job.gpus_per_trial not in (1, count):
        raise ValueError(
            f"gpus_per_trial={job.gpus_per_trial}, and hydra.launcher.nodes x tasks_per_node makes"
            f" {count} tasks, each a process of the trial: leave gpus_per_trial out"
        )
    try:
        return replace(job, gpus_per_trial=count)
    except ValueError as error:
        raise ValueError(f"hydra.launcher.nodes x tasks_per_node makes {error}") from None


def _cancel_submitted(sent: Sequence[JobArray]) -> str:
    """Nothing is submitted half: arrays that Slurm took before it refused one are ended."""
    if not sent:
        return ""
    tracker.cancel_jobs([handle for array in sent for handle in array.handles()])
    for array in sent:
        shutil.rmtree(array.folder)
    count = sum(len(array.packs) for array in sent)
    return f"; {count} jobs that it had taken before were taken back"
