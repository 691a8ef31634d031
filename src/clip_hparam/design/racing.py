"""Racing: group-sequential tests that stop adding seeds once a difference is decided.

A paired difference is tested after `start` seeds and then after every `step` more, up to `max`
seeds. It is decided at the first test (a look) whose t statistic passes the bound of that look.
Eight looks at a plain 95 % interval would find a difference in 17 % of the cells without an effect.
These bounds keep the error rate of all looks together at 5 %: a share (n / max)^2 of it is spent by
n seeds. Early looks therefore decide large differences only, and the last look is nearly as sharp
as a single test with all seeds. The joint distribution of the t statistics does not depend on the
variance, so the bounds are quantiles of simulated differences without an effect. Do not raise `max`
after an undecided end: the additional looks would exceed the error rate.

Source: Lan & DeMets 1983, power family of spending functions of Kim & DeMets 1987.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any

from clip_hparam.config.knob import MAX_SEED, suggest
from clip_hparam.config.options.sweep_options import MAX_REPLICATES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ERROR_RATE, SPENDING_EXPONENT = 0.05, 2
UNDECIDED, LESS, MORE = "undecided", "less", "more"
ROUNDING = 1e-12  # standard errors below this share of the mean are errors of rounding
SIMULATED_PATHS = 200_000  # standard error of the 5 % error rate: 0.05 points


@dataclass(frozen=True)
class Race:
    """A race, `seeds: {start: 3, max: 10, until: decided}`; seeds are `first`, `first` + 1, ..."""

    start: int
    max: int
    step: int = 1
    first: int = 0

    @property
    def looks(self) -> tuple[int, ...]:
        """Numbers of seeds after which the difference is tested."""
        return (*range(self.start, self.max, self.step), self.max)

    @property
    def note(self) -> str:
        """Line about the race for a plan."""
        return (
            f"raced: {self.start} seeds a cell, and up to {self.max} where the difference is"
            " undecided; the plan shows the maximum"
        )

    @property
    def seeds(self) -> list[int]:
        return list(range(self.first, self.first + self.max))


def parse_race(seeds: Any) -> Race | None:
    """Return the race that `seeds` asks for, None if it is a number or a list.

    Raises:
        ValueError: an unknown key, or numbers that make no race.
    """
    if not isinstance(seeds, Mapping):
        return None
    known = ("until", *(field.name for field in fields(Race)))
    for key in seeds:
        if key not in known:
            raise ValueError(
                f"seeds: {{{key}: ...}} is not a key of a race: {suggest(str(key), known)}"
            )
    if seeds.get("until", "decided") != "decided":
        raise ValueError(f"seeds: {{until: {seeds['until']}}} is unknown: try until: decided")
    numbers = {"start": 3, "max": 10, **{name: seeds[name] for name in seeds if name != "until"}}
    whole = all(isinstance(n, int) and not isinstance(n, bool) for n in numbers.values())
    race = Race(**numbers)
    is_race = whole and 2 <= race.start < race.max <= MAX_REPLICATES and race.step >= 1
    if not is_race or not 0 <= race.first <= MAX_SEED - race.max:
        raise ValueError(
            f"seeds={dict(seeds)} is not a race: it needs whole numbers, 2 <= start < max <="
            f" {MAX_REPLICATES}, a step of at least 1 and seeds up to {MAX_SEED}; try"
            " 'seeds={start: 3, max: 10}'"
        )
    return race


def verdict(differences: Sequence[float], race: Race) -> str:
    """Return MORE or LESS at the first look that passes its bound, else UNDECIDED.

    differences: paired differences in the order of their seeds.
    """
    for n in race.looks:
        if n > len(differences):
            break
        t = t_statistic(differences[:n])
        if abs(t) >= boundary(race, n):
            return MORE if t > 0 else LESS
    return UNDECIDED


def p_value(differences: Sequence[float], race: Race) -> float:
    """Return the p value of a race under the stage-wise ordering; NaN before the first look.

    It is the probability, without an effect, to stop at an earlier look or to have a t statistic
    at least this large at the last look so far.
    """
    null, p = _null_distribution(race), math.nan
    spent = 0.0
    for n in race.looks:
        if n > len(differences):
            break
        t = abs(t_statistic(differences[:n]))
        undecided = null.undecided[n]
        p = spent + float((len(undecided) - undecided.searchsorted(t)) / SIMULATED_PATHS)
        if t >= null.bounds[n]:
            break
        spent = _error_spent(race, n)
    return p


def boundary(race: Race, n: int) -> float:
    """Return the |t| that decides a difference over n seeds: the bound of the last look up to n.

    The intervals mean +- bound * standard error hold at all looks together.

    Raises:
        ValueError: n is before the first look.
    """
    if n < race.start:
        raise ValueError(f"{n} seeds are fewer than the {race.start} of the first look")
    return _null_distribution(race).bounds[max(look for look in race.looks if look <= n)]


def t_statistic(differences: Sequence[float]) -> float:
    """Return the t statistic of a zero mean; 0 for equal values, which have no standard error."""
    error = standard_error(differences)
    return math.fsum(differences) / len(differences) / error if error else 0.0


def standard_error(values: Sequence[float]) -> float:
    """Return the standard error of the mean of at least two values; 0 if only rounding differs."""
    n = len(values)
    mean = math.fsum(values) / n
    error = math.sqrt(math.fsum((x - mean) * (x - mean) for x in values) / (n - 1) / n)
    return error if error > ROUNDING * abs(mean) else 0.0


def simulate_t_statistics(
    draws: int, seeds: int, seed: int, effect: float = 0.0
) -> "NDArray[np.float64]":
    """Simulate |t| of normal differences after 2, 3, ... seeds, shape (draws, seeds - 1).

    effect: mean of the differences, in standard deviations.
    """
    import numpy as np  # lazy: numpy, 0.1 s

    count = np.arange(1, seeds + 1)
    values = np.random.default_rng(seed).standard_normal((draws, seeds)) + effect
    mean = values.cumsum(axis=1) / count
    squares = (values**2).cumsum(axis=1) - count * mean**2
    t = mean[:, 1:] * np.sqrt(count[1:] * (count[1:] - 1) / squares[:, 1:])
    return np.abs(t)


@dataclass(frozen=True)
class _NullDistribution:
    """By look: its bound, and |t| of the simulated paths undecided before it, ascending."""

    bounds: dict[int, float]
    undecided: "dict[int, NDArray[np.float64]]"


@cache
def _null_distribution(race: Race) -> _NullDistribution:
    t = simulate_t_statistics(SIMULATED_PATHS, race.max, seed=0)
    null = _NullDistribution({}, {})
    decided = 0
    for n in race.looks:
        null.undecided[n] = undecided = t[:, n - 2].copy()
        undecided.sort()
        newly_decided = round(_error_spent(race, n) * SIMULATED_PATHS) - decided
        null.bounds[n] = float(undecided[-newly_decided])
        t = t[t[:, n - 2] < null.bounds[n]]
        decided += newly_decided
    return null


def _error_spent(race: Race, n: int) -> float:
    """Return the error rate that n seeds have spent."""
    return ERROR_RATE * (n / race.max) ** SPENDING_EXPONENT
