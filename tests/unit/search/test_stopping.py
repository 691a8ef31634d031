"""A search ends at its number of points, at its budget, or when its first points all fail."""

from types import SimpleNamespace

import pytest
from optuna.trial import FrozenTrial, create_trial
from optuna.trial import TrialState as OptunaState

from clip_hparam.search.stopping import is_over, seconds_with_next_point

WAITING, RUNNING, FAIL = OptunaState.WAITING, OptunaState.RUNNING, OptunaState.FAIL


def done(seconds: float) -> FrozenTrial:
    return create_trial(value=1.0, user_attrs={"seconds": seconds})


def over(*trials: FrozenTrial, n_trials: int = 100, budget: float | None = None) -> bool:
    return is_over(SimpleNamespace(n_trials=n_trials, budget=budget), trials)  # type: ignore[arg-type]


def test_running_points_and_the_next_one_count_with_the_mean_of_the_ended_ones() -> None:
    assert seconds_with_next_point([create_trial(state=RUNNING)]) == 0.0
    assert seconds_with_next_point([done(10.0)]) == 20.0
    assert seconds_with_next_point([done(10.0), done(30.0), create_trial(state=RUNNING)]) == 80.0


@pytest.mark.parametrize(("budget", "ended"), [(79.0, True), (80.0, True), (81.0, False)])
def test_a_point_that_would_exceed_the_budget_is_not_begun(budget: float, ended: bool) -> None:
    trials = done(10.0), done(30.0), create_trial(state=RUNNING)
    assert over(*trials, budget=budget) == ended
    assert not over(*trials)


def test_points_that_wait_are_not_counted_as_asked() -> None:
    assert over(done(1.0), create_trial(state=RUNNING), n_trials=2)
    assert not over(done(1.0), create_trial(state=WAITING), n_trials=2)


def test_three_failed_points_end_a_search_without_any_result() -> None:
    failed = [create_trial(state=FAIL)] * 3
    assert over(*failed)
    assert not over(*failed[:2])
    assert not over(done(1.0), *failed)
