"""One trial after another in this process: for one core and for debugging."""

from collections.abc import Sequence

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.base import Capacity, JobHandle, LaunchContext, state_on_record


class InlineLauncher:
    """Runs everything in `submit`; a crash of the interpreter takes the sweep with it."""

    survives_driver = False

    def __init__(self, order: LaunchContext) -> None:
        self.jobs: dict[str, TrialSpec] = {}

    def capacity(self, jobs: Sequence[TrialSpec]) -> Capacity:
        return Capacity(1, "one after another")

    def submit(self, jobs: Sequence[TrialSpec]) -> list[JobHandle]:
        # imports torch, which a dry run must not pay for
        from clip_hparam.launch.local.run import run_in_process, run_task

        for job in jobs:
            self.jobs[job.trial_id] = job
            run_task(job, run_in_process)
        return [JobHandle(job.trial_id, "inline", "") for job in jobs]

    def poll(self, handles: Sequence[JobHandle]) -> dict[str, str]:
        return {handle.trial_id: state_on_record(self.jobs[handle.trial_id]) for handle in handles}

    def cancel(self, handles: Sequence[JobHandle]) -> None:
        """Nothing runs between two calls."""
