"""hydra/launcher=inline: trials one after another in this process, to debug or on one core."""

from collections.abc import Sequence

from clip_hparam.config.worker_spec import LaunchSpec
from clip_hparam.launch.base import BlockingLauncher, Capacity, JobHandle, LaunchContext


class InlineLauncher(BlockingLauncher):
    """Runs all trials in `submit`; a crash of the interpreter ends the whole sweep."""

    def __init__(self, context: LaunchContext) -> None:
        super().__init__()

    def capacity(self, specs: Sequence[LaunchSpec]) -> Capacity:
        return Capacity(1, "one after another")

    def submit(self, specs: Sequence[LaunchSpec]) -> list[JobHandle]:
        """Run the trials and return their handles once all have ended."""
        from clip_hparam.launch.local.run import run_in_process, run_spec  # lazy: torch, 4 s

        for spec in specs:
            self.specs[spec.trial_id] = spec
            run_spec(spec, run_in_process)
        return [JobHandle(spec.trial_id, "inline", "") for spec in specs]
