"""Racing by its laws: the error rate over all looks, and what more seeds can change."""

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


def alarms(race: Race, draws: int, effect: float = 0.0) -> np.ndarray:
    """Of races on normal differences, decided at each look; other draws than the bounds' own."""
    t = racing.simulate_t_statistics(draws, race.max, seed=1, effect=effect)
    bounds = [racing.boundary(race, n) for n in race.looks]
    passed: np.ndarray = t[:, [n - 2 for n in race.looks]] >= bounds
    return passed


def standard_error(draws: int) -> float:
    return math.sqrt(ERROR_RATE * (1 - ERROR_RATE) * (1 / draws + 1 / racing.SIMULATED_PATHS))


@pytest.mark.parametrize("race", RACES, ids=str)
def test_looking_often_raises_no_more_false_alarms_than_allowed(race: Race) -> None:
    wrong = alarms(race, 20_000).any(axis=1).mean()
    assert abs(wrong - ERROR_RATE) < 4 * standard_error(20_000)


@pytest.mark.slow
@pytest.mark.parametrize("race", [*RACES, *LONG], ids=str)
def test_the_error_rate_to_a_tenth_of_a_point_and_at_every_look(race: Race) -> None:
    passed = alarms(race, 400_000)
    by_look = np.logical_or.accumulate(passed, axis=1).mean(axis=0)
    for spent, n in zip(by_look, race.looks, strict=True):
        assert spent == pytest.approx(
            ERROR_RATE * (n / race.max) ** 2, abs=4 * standard_error(400_000)
        )


def test_the_same_looks_at_plain_intervals_cry_wolf() -> None:
    """What the bounds are for: 95 % at each of eight looks is not 95 %."""
    from scipy.special import stdtrit

    race = Race(3, 10)
    t = racing.simulate_t_statistics(20_000, race.max, seed=1)
    plain = [stdtrit(n - 1, 0.975) for n in race.looks]
    assert (t[:, [n - 2 for n in race.looks]] >= plain).any(axis=1).mean() > 0.12


def test_racing_finds_nearly_what_all_seeds_find_for_fewer() -> None:
    """An effect of three standard deviations: always found, on half of the seeds."""
    race = Race(3, 10)
    passed = alarms(race, 5_000, effect=3.0)
    assert passed.any(axis=1).mean() > 0.99
    seeds = np.array(race.looks)[passed.argmax(axis=1)].mean()
    assert seeds < race.max / 2


@pytest.mark.parametrize("race", RACES, ids=str)
def test_bounds_fall_from_look_to_look(race: Race) -> None:
    assert all(more > less for more, less in pairwise(racing.boundary(race, n) for n in race.looks))
    with pytest.raises(ValueError, match="fewer than"):
        racing.boundary(race, race.start - 1)


@settings(deadline=None)  # the first to ask simulates the bounds
@given(st.lists(finite, min_size=3, max_size=10), st.floats(0.1, 100))
def test_a_verdict_knows_no_unit_and_no_order_of_the_cells(values: list[float], by: float) -> None:
    race = Race(3, 10)
    said = racing.verdict(values, race)
    turned = {MORE: LESS, LESS: MORE, UNDECIDED: UNDECIDED}[said]
    assert racing.verdict([-value for value in values], race) == turned
    near_a_bound = any(
        abs(abs(racing.t_statistic(values[:n])) - racing.boundary(race, n)) < 1e-6
        for n in race.looks
        if n <= len(values)
    )
    assert near_a_bound or racing.verdict([by * value for value in values], race) == said


@settings(deadline=None)  # the first to ask simulates the bounds
@given(st.lists(finite, min_size=4, max_size=10))
def test_what_is_decided_stays_decided(values: list[float]) -> None:
    race = Race(3, 10)
    said = [racing.verdict(values[:n], race) for n in range(3, len(values) + 1)]
    assert all(after == before for before, after in pairwise(said) if before != UNDECIDED)


@settings(deadline=None)  # the first to ask simulates the bounds
@given(st.lists(finite, min_size=3, max_size=10))
def test_p_says_what_the_verdict_says(values: list[float]) -> None:
    race = Race(3, 10)
    decided = racing.verdict(values, race) != UNDECIDED
    p = racing.p_value(values, race)
    assert 0 < p <= 1 if not decided else p <= ERROR_RATE
    assert decided or p > ERROR_RATE * (len(values) / race.max) ** 2


def test_equal_differences_decide_nothing() -> None:
    """A coarse test set, three seeds: no spread to measure the difference by."""
    assert racing.verdict([0.1, 0.1, 0.1], Race(3, 10)) == UNDECIDED


@pytest.mark.parametrize(
    "seeds",
    [{"start": 1}, {"start": 10}, {"max": 2}, {"step": 0}, {"until": "lunch"}, {"stop": 5},
     {"max": "many"}, {"first": -1}, {"start": True}],
)  # fmt: skip
def test_a_race_that_cannot_be_run_is_refused(seeds: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"start|until|step"):
        racing.parse_race(seeds)


def test_what_is_no_race_is_left_to_others() -> None:
    assert racing.parse_race(5) is None
    assert racing.parse_race({"until": "decided"}) == Race(3, 10)
    assert Race(3, 10, step=4, first=100).looks == (3, 7, 10)
    assert Race(3, 5, first=100).seeds == [100, 101, 102, 103, 104]
