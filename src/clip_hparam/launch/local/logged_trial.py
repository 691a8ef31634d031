"""Run a trial in a process whose output is the trial's log.txt. Imports no torch."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.log import PrintHandler, log_to
from clip_hparam.records.lock import FolderLockedError
from clip_hparam.records.state import TrialState
from clip_hparam.training.callbacks.base import NO_CALLBACK, TrialCallback
from clip_hparam.training.outcome import TrialOutcome

if TYPE_CHECKING:
    from clip_hparam.distributed import DistributedContext

LOCK_POLL_SECONDS = 0.5


def run_logged_trial(
    spec: TrialSpec,
    context: "DistributedContext",
    stop: TrialCallback,
    callback: TrialCallback = NO_CALLBACK,
) -> TrialOutcome:
    """Run a trial as one of its ranks and return how it ended; rank 0 prints the log messages.

    stop: asked after each step, and while another process runs the trial.
    """
    from clip_hparam.training import trial  # lazy: torch, 4 s

    handlers = [PrintHandler()] if context.is_main else []
    with log_to(*handlers):
        return retry_while_locked(lambda: trial.run_trial(spec, [callback, stop], context), stop)


def retry_while_locked(run: Callable[[], TrialOutcome], stop: TrialCallback) -> TrialOutcome:
    """Run a trial as soon as no other process runs it, and return how it ended.

    It stays QUEUED if `stop` asks for an end before that.
    """
    warned = False
    while not stop.should_stop():
        try:
            return run()
        except FolderLockedError as error:
            if not warned:
                print(f"{error}: waiting for it")
            warned = True
            time.sleep(LOCK_POLL_SECONDS)
    return TrialOutcome(TrialState.QUEUED)
