"""The epochs that pruning saved in a search."""

from typing import NamedTuple

from clip_hparam.analysis.frames.frame import Frames, ended_trials
from clip_hparam.analysis.frames.manifests import SweepManifest
from clip_hparam.records.state import TrialState


class PruningSavings(NamedTuple):
    """Epochs that pruning saved in a search."""

    trials: int  # done or pruned
    pruned: int
    epochs: int  # trained
    asked: int  # epochs of all trials without pruning

    @property
    def share(self) -> float:
        """Share of the epochs that was saved."""
        return 1 - self.epochs / self.asked


def pruning_savings(frames: Frames, sweep: SweepManifest | None = None) -> PruningSavings | None:
    """Return the savings in a search, by default the newest; None if no trial was pruned."""
    ended = ended_trials(frames, sweep)
    pruned = int((ended["status"] == TrialState.PRUNED).sum())
    if not pruned:
        return None
    trained = frames.epochs["trial_id"].isin(ended["trial_id"]).sum()
    return PruningSavings(len(ended), pruned, int(trained), int(ended["epochs"].sum()))
