"""Stopping rule of a search: number of points, budget, or failure of all first points."""

from collections.abc import Sequence

from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from clip_hparam.search.spec import SearchSpec

MAX_INITIAL_FAILURES = 3
"""A search stops when its first points all fail, because their common cause is then likely."""


def is_over(search: SearchSpec, trials: Sequence[FrozenTrial]) -> bool:
    """Return whether a search asks for no more points, given the trials of its study."""
    asked = sum(trial.state is not OptunaState.WAITING for trial in trials)
    if asked >= search.n_trials:
        return True
    ended = [trial.state for trial in trials if trial.state.is_finished()]
    if len(ended) >= MAX_INITIAL_FAILURES and set(ended) == {OptunaState.FAIL}:
        return True
    return bool(search.budget) and seconds_with_next_point(trials) >= search.budget


def seconds_with_next_point(trials: Sequence[FrozenTrial]) -> float:
    """Return the seconds of all points and the next point; 0 before the first point has ended.

    Points that are running, and the next point, count with the mean of the points that have ended.
    """
    known: list[float] = [t.user_attrs["seconds"] for t in trials if "seconds" in t.user_attrs]
    if not known:
        return 0.0
    return sum(known) + (len(trials) - len(known) + 1) * sum(known) / len(known)
