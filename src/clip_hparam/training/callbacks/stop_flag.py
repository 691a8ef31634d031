"""Stop a trial on a signal."""

from dataclasses import dataclass, field

from clip_hparam.training.callbacks.base import TrialCallback


@dataclass
class StopFlag(TrialCallback):
    """Stops a trial after the current step once this process has received a signal.

    received: numbers of the signals received so far, which a signal handler appends.
    """

    received: list[int] = field(default_factory=list)

    def should_stop(self) -> bool:
        return bool(self.received)
