"""A progress bar for a trial in the foreground."""

import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.records.state import TrialState
from clip_hparam.training.callbacks.base import TrialCallback

REFRESH_SECONDS = 0.1


class ProgressBar(TrialCallback):
    """Shows the optimizer steps done and the time left; only on a terminal.

    What is printed meanwhile appears above the bar. The bar is drawn in `on_step`, without a
    thread, because the loader's worker processes are forks of this process.
    """

    def __init__(self, console: Console) -> None:
        self.progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            auto_refresh=False,
            transient=True,
            disable=not console.is_terminal,
        )
        self.task = self.progress.add_task("steps", total=None)
        self.last_refresh = 0.0

    def on_start(self, spec: TrialSpec) -> None:
        self.progress.start()

    def on_step(self, step: int, total_steps: int) -> None:
        self.progress.update(self.task, completed=step, total=total_steps)
        if time.monotonic() - self.last_refresh >= REFRESH_SECONDS:
            self.progress.refresh()
            self.last_refresh = time.monotonic()

    def on_end(self, state: TrialState, result: Mapping[str, Any] | None) -> None:
        self.progress.stop()
