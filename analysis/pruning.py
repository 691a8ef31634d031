"""What pruning saved: epochs that were not trained, of those that all points would have cost."""

from typing import NamedTuple

from analysis.frame import Frames, sampled


class Saved(NamedTuple):
    """Of the trials that are done or pruned: those of searches, where they are known."""

    trials: int
    pruned: int
    epochs: int  # trained
    asked: int  # of all of them to the end

    @property
    def share(self) -> float:
        return 1 - self.epochs / self.asked


def saved(frames: Frames) -> Saved | None:
    """None if nothing was pruned."""
    ended = frames.trials[frames.trials["status"].isin(["done", "pruned"])]
    if drawn := sampled(frames):
        ended = ended[ended["trial_id"].isin(drawn)]
    pruned = int((ended["status"] == "pruned").sum())
    if not pruned:
        return None
    trained = frames.epochs["trial_id"].isin(ended["trial_id"]).sum()
    return Saved(len(ended), pruned, int(trained), int(ended["epochs"].sum()))
