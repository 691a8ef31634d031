"""Stop a trial on Ctrl-C, SIGTERM or the end of its terminal, once its state is saved."""

import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.records.state import TrialState
from clip_hparam.training.callbacks.base import TrialCallback

INTERRUPT_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
REPEAT_SECONDS = 0.2  # timeout(1) sends its signal twice, to the process and to its group


class InterruptFlag(TrialCallback):
    """Handles the interrupt signals of a process.

    While a trial has trained steps, the first signal makes it save its state after the current
    step. At any other time, and at the second Ctrl-C, a signal raises KeyboardInterrupt.

    is_received: whether a signal was received.
    """

    def __init__(self) -> None:
        self.is_received = False
        self._has_steps = False
        self._last_ctrl_c = float("-inf")

    def on_start(self, spec: TrialSpec) -> None:
        self._has_steps = False

    def on_step(self, step: int, total_steps: int) -> None:
        self._has_steps = True

    def should_stop(self) -> bool:
        return self.is_received

    def is_interrupted(self) -> bool:
        return self.is_received

    def on_end(self, state: TrialState, result: Mapping[str, Any] | None) -> None:
        self._has_steps = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal; takes the arguments of a Python signal handler."""
        first, self.is_received = not self.is_received, True
        if number == signal.SIGINT:
            since, self._last_ctrl_c = self._last_ctrl_c, time.monotonic()
            is_second = REPEAT_SECONDS < self._last_ctrl_c - since < float("inf")
        else:
            is_second = False
        if is_second or (first and not self._has_steps):
            raise KeyboardInterrupt

    @contextmanager
    def installed(self) -> Iterator["InterruptFlag"]:
        """Handle the signals inside the `with` block; those that are ignored, as by nohup, stay so.

        Outside the main thread, which alone receives signals, nothing is changed.
        """
        before: dict[signal.Signals, Any] = {}
        if threading.current_thread() is threading.main_thread():
            before = {number: signal.getsignal(number) for number in INTERRUPT_SIGNALS}
        handled = [number for number, old in before.items() if old != signal.SIG_IGN]
        for number in handled:
            signal.signal(number, self.handle)
        try:
            yield self
        finally:
            for number in handled:
                signal.signal(number, before[number])
