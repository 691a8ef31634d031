"""Statistical properties of racing: error rate over all looks, power, and stable decisions."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clip_hparam.design import racing
from clip_hparam.design.racing import ERROR_RATE, LESS, MORE, UNDECIDED, Race

RACES = [Race(3, 10), Race(2, 5), Race(4, 16, step=4)]
LONG = [Race(2, 30), Race(3, 20), Race(5, 6), Race(10, 40, step=7)]
finite = st.floats(-9, 9).map(lambda value: round(value, 3))


def passed_looks(race: Race, draws: int, effect: float = 0.0) -> np.ndarray:
    """Simulate races; return whether each look passes its bound, shape (draws, looks).

    The seed differs from that of the simulation behind the bounds.
    """
    t = racing.simulate_t_statistics(draws, race.max, seed=1, effect=effect)
    bounds = [racing.boundary(race, n) for n in race.looks]
    passed: np.ndarray = t[:, [n - 2 for n in race.looks]] >= bounds
    return passed


def standard_error(draws: int) -> float:
    return math.sqrt(ERROR_RATE * (1 - ERROR_RATE) * (1 / draws + 1 / racing.SIMULATED_PATHS))


@pytest.mark.parametrize("race", RACES, ids=str)
def test_error_rate_over_all_looks_is_5_percent(race: Race) -> None:
    error_rate = passed_looks(race, 20_000).any(axis=1).mean()
    assert abs(error_rate - ERROR_RATE) < 4 * standard_error(20_000)


@pytest.mark.slow
@pytest.mark.parametrize("race", [*RACES, *LONG], ids=str)
def test_error_rate_at_every_look_follows_the_spending_function(race: Race) -> None:
    passed = passed_looks(race, 400_000)
    by_look = np.logical_or.accumulate(passed, axis=1).mean(axis=0)
    for spent, n in zip(by_look, race.looks, strict=True):
        assert spent == pytest.approx(
            ERROR_RATE * (n / race.max) ** 2, abs=4 * standard_error(400_000)
        )


def test_plain_intervals_at_the_same_looks_exceed_the_error_rate() -> None:
    """Eight looks at a 95 % interval have an error rate far above 5 %."""
    from scipy.special import stdtrit

    race = Race(3, 10)
    t = racing.simulate_t_statistics(20_000, race.max, seed=1)
    plain = [stdtrit(n - 1, 0.975) for n in race.looks]
    assert (t[:, [n - 2 for n in race.looks]] >= plain).any(axis=1).mean() > 0.12


def test_large_effect_is_found_with_half_of_the_seeds() -> None:
    """An effect of three standard deviations is found in more than 99 % of the races."""
    race = Race(3, 10)
    passed = passed_looks(race, 5_000, effect=3.0)
    assert passed.any(axis=1).mean() > 0.99
    seeds = np.array(race.looks)[passed.argmax(axis=1)].mean()
    assert seeds < race.max / 2


@pytest.mark.parametrize("race", RACES, ids=str)
def test_bounds_decrease_from_look_to_look(race: Race) -> None:
    assert all(more > less for more, less in pairwise(racing.boundary(race, n) for n in race.looks))
    with pytest.raises(ValueError, match="fewer than"):
        racing.boundary(race, race.start - 1)


@settings(deadline=None)  # the first example simulates the bounds
@given(st.lists(finite, min_size=3, max_size=10), st.floats(0.1, 100))
def test_verdict_does_not_depend_on_unit_or_order_of_cells(values: list[float], by: float) -> None:
    race = Race(3, 10)
    verdict = racing.verdict(values, race)
    opposite = {MORE: LESS, LESS: MORE, UNDECIDED: UNDECIDED}[verdict]
    assert racing.verdict([-value for value in values], race) == opposite
    near_a_bound = any(
        abs(abs(racing.t_statistic(values[:n])) - racing.boundary(race, n)) < 1e-6
        for n in race.looks
        if n <= len(values)
    )
    assert near_a_bound or racing.verdict([by * value for value in values], race) == verdict


@settings(deadline=None)  # the first example simulates the bounds
@given(st.lists(finite, min_size=4, max_size=10))
def test_decision_does_not_change_with_more_seeds(values: list[float]) -> None:
    race = Race(3, 10)
    verdicts = [racing.verdict(values[:n], race) for n in range(3, len(values) + 1)]
    assert all(after == before for before, after in pairwise(verdicts) if before != UNDECIDED)


@settings(deadline=None)  # the first example simulates the bounds
@given(st.lists(finite, min_size=3, max_size=10))
def test_p_value_agrees_with_the_verdict(values: list[float]) -> None:
    race = Race(3, 10)
    decided = racing.verdict(values, race) != UNDECIDED
    p = racing.p_value(values, race)
    assert 0 < p <= 1 if not decided else p <= ERROR_RATE
    assert decided or p > ERROR_RATE * (len(values) / race.max) ** 2


def test_equal_differences_are_undecided() -> None:
    """On a coarse test set three seeds can give equal differences, without a standard error."""
    assert racing.verdict([0.1, 0.1, 0.1], Race(3, 10)) == UNDECIDED


@pytest.mark.parametrize(
    "seeds",
    [{"start": 1}, {"start": 10}, {"max": 2}, {"step": 0}, {"until": "lunch"}, {"stop": 5},
     {"max": "many"}, {"first": -1}, {"start": True}],
)  # fmt: skip
def test_invalid_race_is_rejected(seeds: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"start|until|step"):
        racing.parse_race(seeds)


def test_parse_race_returns_none_without_a_race() -> None:
    assert racing.parse_race(5) is None
    assert racing.parse_race({"until": "decided"}) == Race(3, 10)
    assert Race(3, 10, step=4, first=100).looks == (3, 7, 10)
    assert Race(3, 5, first=100).seeds == [100, 101, 102, 103, 104]
