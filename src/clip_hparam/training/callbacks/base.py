"""Define what a caller of a trial can pass to follow, stop or prune it. Imports no torch."""

from collections.abc import Callable
from typing import Any

from clip_hparam.config.trial_spec import TrialSpec

Say = Callable[[str], None]
Tick = Callable[[int, int], None]
Stop = Callable[[], bool]
Report = Callable[[list[dict[str, Any]]], bool]
TrialRunner = Callable[[TrialSpec, Report], str]
"""Runs a trial and returns its state; asks after each epoch whether it is worth another."""


class TrialStopped(Exception):  # noqa: N818
    """A trial was asked to stop, and did after a step: nothing went wrong."""


class TrialPruned(Exception):  # noqa: N818
    """A trial is not worth another epoch: nothing went wrong, and nothing is to be gone on with."""


def never(*_: object) -> bool:
    """An adviser that lets a trial go on."""
    return False


def quiet(*_: object) -> None:
    """A reporter that says nothing."""
