"""What pruning saved: epochs that were not trained, of those that all points would have cost."""

from typing import NamedTuple

from clip_hparam.analysis.frames.frame import Frames, tried
from clip_hparam.analysis.frames.manifests import Sweep


class Saved(NamedTuple):
    """Of the trials that are done or pruned."""

    trials: int
    pruned: int
    epochs: int  # trained
    asked: int  # of all of them to the end

    @property
    def share(self) -> float:
        return 1 - self.epochs / self.asked


def saved(frames: Frames, sweep: Sweep | None = None) -> Saved | None:
    """By a search, the newest if none is named; None if nothing was pruned."""
    ended = tried(frames, sweep)
    pruned = int((ended["status"] == "pruned").sum())
    if not pruned:
        return None
    trained = frames.epochs["trial_id"].isin(ended["trial_id"]).sum()
    return Saved(len(ended), pruned, int(trained), int(ended["epochs"].sum()))
