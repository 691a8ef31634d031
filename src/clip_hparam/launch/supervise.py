"""Submit trials and poll them until they end; cancel them if the driver is interrupted."""

import time
from collections.abc import Callable, Mapping, Sequence

from clip_hparam.config.worker_spec import LaunchSpec
from clip_hparam.launch.base import JobHandle, Launcher
from clip_hparam.records.state import LIVE, TrialState

POLL_SECONDS = 0.1


class SubmissionRefusedError(ValueError):
    """A launcher whose trials survive the driver has refused all of them: none was submitted."""


def supervise(
    launcher: Launcher,
    specs: Sequence[LaunchSpec],
    on_update: Callable[[Mapping[str, TrialState]], None],
    detach: bool = False,
) -> dict[str, TrialState]:
    """Run trials and return their final states by trial id.

    on_update: called with the states after each poll.
    detach: return right after the submission, with the states at that time.

    On an error or Ctrl-C the trials are cancelled, unless the launcher's trials survive the driver.

    Raises: SubmissionRefusedError.
    """
    if not specs:
        return {}
    handles: list[JobHandle] = []
    try:
        handles = _submit(launcher, specs)
        states = launcher.poll(handles)
        on_update(states)
        while not detach and any(state in LIVE for state in states.values()):
            time.sleep(POLL_SECONDS)
            states = launcher.poll(handles)
            on_update(states)
    except BaseException:
        if not launcher.survives_driver:
            launcher.cancel(handles)
        raise
    return states


def _submit(launcher: Launcher, specs: Sequence[LaunchSpec]) -> list[JobHandle]:
    try:
        return launcher.submit(specs)
    except ValueError as error:
        if launcher.survives_driver:
            raise SubmissionRefusedError(str(error)) from error
        raise
