"""A callback that stops a trial, so that tests can resume it."""

from clip_hparam.training.callbacks.base import TrialCallback


class StopAfter(TrialCallback):
    """Stops a trial after a step."""

    def __init__(self, last: int) -> None:
        self.last, self.step = last, 0

    def on_step(self, step: int, total_steps: int) -> None:
        self.step = step

    def should_stop(self) -> bool:
        return self.step == self.last
