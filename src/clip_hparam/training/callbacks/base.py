"""The interface by which other code follows a trial, stops it or prunes it. Imports no torch."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.records.state import TrialState
from clip_hparam.training.outcome import TrialOutcome


class TrialCallback:
    """Base class of the callbacks of a trial; does nothing.

    A subclass overrides the methods that it needs. They are called in rank 0 only: `on_start`
    once, `on_step` and then `should_stop` after each optimizer step, `should_stop` also after each
    batch of an evaluation, `on_epoch_end` after each epoch, `on_end` once. A callback never raises
    an exception to stop or prune a trial.
    """

    def on_start(self, spec: TrialSpec) -> None:
        """Receive the trial, with its resolved recipe, before the model is created."""

    def on_step(self, step: int, total_steps: int) -> None:
        """Receive the number of optimizer steps done, those of earlier attempts included."""

    def should_stop(self) -> bool:
        """Return whether the trial must save its state and end, to be resumed later."""
        return False

    def is_interrupted(self) -> bool:
        """Return whether a person stops the trial: it then ends as "cancelled"."""
        return False

    def on_epoch_end(self, rows: list[dict[str, Any]]) -> bool:
        """Receive the rows of metrics.jsonl so far; return True to prune the trial."""
        return False

    def on_end(self, state: TrialState, result: Mapping[str, Any] | None) -> None:
        """Receive the state in which the attempt ended and, if it is "done", the result."""


NO_CALLBACK = TrialCallback()
TrialRunner = Callable[[TrialSpec, TrialCallback], TrialOutcome]
"""A function that runs a trial with a callback and returns how the trial ended."""


class CallbackList(TrialCallback):
    """Several callbacks as one, called in order."""

    def __init__(self, callbacks: Iterable[TrialCallback]) -> None:
        self.callbacks = tuple(callbacks)

    def on_start(self, spec: TrialSpec) -> None:
        for callback in self.callbacks:
            callback.on_start(spec)

    def on_step(self, step: int, total_steps: int) -> None:
        for callback in self.callbacks:
            callback.on_step(step, total_steps)

    def should_stop(self) -> bool:
        return any(callback.should_stop() for callback in self.callbacks)

    def is_interrupted(self) -> bool:
        return any(callback.is_interrupted() for callback in self.callbacks)

    def on_epoch_end(self, rows: list[dict[str, Any]]) -> bool:
        verdicts = [callback.on_epoch_end(rows) for callback in self.callbacks]
        return any(verdicts)

    def on_end(self, state: TrialState, result: Mapping[str, Any] | None) -> None:
        for callback in self.callbacks:
            callback.on_end(state, result)
