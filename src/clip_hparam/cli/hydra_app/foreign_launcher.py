"""Hydra's own launchers (basic, joblib, ...) behind our seam: `hydra/launcher=basic`.

They take lists of overrides and block until all jobs have ended. What became of a trial is read
from its folder, so a launcher that reports nothing, or raises the results of good jobs away, loses
nothing here.
"""

import sys
from collections.abc import Mapping, Sequence

from hydra.plugins.launcher import Launcher as HydraLauncher

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.base import Capacity, JobHandle, state_on_record


class HydraLauncherAdapter:
    """Wraps an instantiated Hydra launcher; `overrides` are those of each trial by its id."""

    survives_driver = False

    def __init__(self, launcher: HydraLauncher, overrides: Mapping[str, Sequence[str]]) -> None:
        self.launcher, self.overrides = launcher, overrides
        self.jobs: dict[str, TrialSpec] = {}

    def capacity(self, jobs: Sequence[TrialSpec]) -> Capacity:
        """How many it runs at a time only it knows: the longest time is promised."""
        return Capacity(1, f"by {type(self.launcher).__name__}, if one after another")

    def submit(self, jobs: Sequence[TrialSpec]) -> list[JobHandle]:
        self.jobs |= {job.trial_id: job for job in jobs}
        try:
            self.launcher.launch([self.overrides[job.trial_id] for job in jobs], 0)
        except Exception as error:
            print(f"{type(self.launcher).__name__}: {error}", file=sys.stderr)
        return [JobHandle(job.trial_id, type(self.launcher).__name__, "") for job in jobs]

    def poll(self, handles: Sequence[JobHandle]) -> dict[str, str]:
        return {handle.trial_id: state_on_record(self.jobs[handle.trial_id]) for handle in handles}

    def cancel(self, handles: Sequence[JobHandle]) -> None:
        """Nothing of it runs between two calls."""
