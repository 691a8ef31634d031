"""One trial after another in this process: for one core and for debugging."""

from collections.abc import Sequence

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.base import Handle, Order, Room, state_on_record


class Inline:
    """Runs everything in `submit`; a crash of the interpreter takes the sweep with it."""

    outlives = False

    def __init__(self, order: Order) -> None:
        self.jobs: dict[str, TrialSpec] = {}

    def room(self, jobs: Sequence[TrialSpec]) -> Room:
        return Room(1, "one after another")

    def submit(self, jobs: Sequence[TrialSpec]) -> list[Handle]:
        # imports torch, which a dry run must not pay for
        from clip_hparam.launch.run import perform, unlogged

        for job in jobs:
            self.jobs[job.trial_id] = job
            perform(job, unlogged)
        return [Handle(job.trial_id, "inline", "") for job in jobs]

    def poll(self, handles: Sequence[Handle]) -> dict[str, str]:
        return {handle.trial_id: state_on_record(self.jobs[handle.trial_id]) for handle in handles}

    def cancel(self, handles: Sequence[Handle]) -> None:
        """Nothing runs between two calls."""
