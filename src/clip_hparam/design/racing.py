"""Racing: when to stop adding seeds to a difference; looking often does not raise its error rate.

A paired difference is looked at after `start` seeds and after every `step` more, up to `max`. It is
decided once its t statistic passes the bound of that look. To look at a plain 95 % interval eight
times finds something in 17 % of the cells where nothing is; these bounds keep it at 5 % over all
looks together: of it the share (n / max)^2 is spent by n seeds (Lan & DeMets 1983, power family of
Kim & DeMets 1987). Early looks so decide what is plain, and the last one is nearly as sharp as a
test with all seeds. The joint law of the t statistics does not depend on the spread, so the bounds
are quantiles of simulated differences without effect. The maximum belongs to the question: to raise
it after an undecided end looks once more than was paid for.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any

from clip_hparam.config.knob import suggest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ERROR_RATE, SPENDING_EXPONENT = 0.05, 2
UNDECIDED, LESS, MORE = "undecided", "less", "more"
SIMULATED_PATHS = 200_000  # puts a standard error of 0.05 points on the 5 %


@dataclass(frozen=True)
class Race:
    """`seeds: {start: 3, max: 10, until: decided}`; the seeds are `first`, `first` + 1, ..."""

    start: int
    max: int
    step: int = 1
    first: int = 0

    @property
    def looks(self) -> tuple[int, ...]:
        """Numbers of seeds after which one looks."""
        return (*range(self.start, self.max, self.step), self.max)

    @property
    def note(self) -> str:
        """For the reader of a plan."""
        return (
            f"raced: {self.start} seeds a cell, and up to {self.max} where the difference is"
            " undecided; planned is the most that this can come to"
        )

    @property
    def seeds(self) -> list[int]:
        return list(range(self.first, self.first + self.max))


def parse_race(seeds: Any) -> Race | None:
    """The race that `seeds` asks for, None if it is a number or a list.

    Raises ValueError for a race that cannot be run.
    """
    if not isinstance(seeds, Mapping):
        return None
    known = ("until", *(field.name for field in fields(Race)))
    for key in seeds:
        if key not in known:
            raise ValueError(
                f"seeds: {{{key}: ...}} is no key of a race: {suggest(str(key), known)}"
            )
    if seeds.get("until", "decided") != "decided":
        raise ValueError(f"seeds: {{until: {seeds['until']}}} is unknown: say until: decided")
    numbers = {"start": 3, "max": 10, **{name: seeds[name] for name in seeds if name != "until"}}
    whole = all(isinstance(n, int) and not isinstance(n, bool) for n in numbers.values())
    race = Race(**numbers)
    if not whole or not 2 <= race.start < race.max or race.step < 1 or race.first < 0:
        raise ValueError(
            f"seeds={dict(seeds)} is no race: it needs whole numbers, 2 <= start < max and a step"
            " of at least 1; try {start: 3, max: 10, until: decided}"
        )
    return race


def verdict(differences: Sequence[float], race: Race) -> str:
    """Of differences in the order of their seeds: what the first look past its bound said."""
    for n in race.looks:
        if n > len(differences):
            break
        t = t_statistic(differences[:n])
        if abs(t) >= boundary(race, n):
            return MORE if t > 0 else LESS
    return UNDECIDED


def p_value(differences: Sequence[float], race: Race) -> float:
    """The chance, without effect, to stop before this or to be as far out here (stage-wise order).

    NaN before the first look.
    """
    paths, p = _null_distribution(race), math.nan
    spent = 0.0
    for n in race.looks:
        if n > len(differences):
            break
        t = abs(t_statistic(differences[:n]))
        alive = paths.alive[n]
        p = spent + float((len(alive) - alive.searchsorted(t)) / SIMULATED_PATHS)
        if t >= paths.bounds[n]:
            break
        spent = _error_spent(race, n)
    return p


def boundary(race: Race, n: int) -> float:
    """|t| at which a difference over n seeds is decided: that of the last look up to n.

    mean +- bound * standard error is an interval that holds at all looks together.
    Raises ValueError before the first look.
    """
    if n < race.start:
        raise ValueError(f"{n} seeds are fewer than the {race.start} of the first look")
    return _null_distribution(race).bounds[max(look for look in race.looks if look <= n)]


def t_statistic(differences: Sequence[float]) -> float:
    """t of the mean being zero; 0 where the values are alike, which tells nothing of the spread."""
    error = standard_error(differences)
    return math.fsum(differences) / len(differences) / error if error else 0.0


def standard_error(values: Sequence[float]) -> float:
    """Of the mean of two values or more; 0 where they differ by rounding alone."""
    n = len(values)
    mean = math.fsum(values) / n
    error = math.sqrt(math.fsum((one - mean) * (one - mean) for one in values) / (n - 1) / n)
    return error if error > 1e-12 * abs(mean) else 0.0


def simulate_t_statistics(
    draws: int, seeds: int, seed: int, effect: float = 0.0
) -> "NDArray[np.float64]":
    """|t| after 2, 3, ... seeds, (draws, seeds - 1), of normal differences.

    effect: their mean, in standard deviations.
    """
    import numpy as np  # a plan or a `status` does without

    count = np.arange(1, seeds + 1)
    values = np.random.default_rng(seed).standard_normal((draws, seeds)) + effect
    mean = values.cumsum(axis=1) / count
    squares = (values**2).cumsum(axis=1) - count * mean**2
    t = mean[:, 1:] * np.sqrt(count[1:] * (count[1:] - 1) / squares[:, 1:])
    return np.abs(t)


@dataclass(frozen=True)
class _NullDistribution:
    """Of each look: its bound, and |t| of the paths undecided before it, ascending."""

    bounds: dict[int, float]
    alive: "dict[int, NDArray[np.float64]]"


@cache
def _null_distribution(race: Race) -> _NullDistribution:
    t = simulate_t_statistics(SIMULATED_PATHS, race.max, seed=0)
    found = _NullDistribution({}, {})
    out = 0
    for n in race.looks:
        found.alive[n] = alive = t[:, n - 2].copy()
        alive.sort()
        now = round(_error_spent(race, n) * SIMULATED_PATHS) - out
        found.bounds[n] = float(alive[-now])
        t = t[t[:, n - 2] < found.bounds[n]]
        out += now
    return found


def _error_spent(race: Race, n: int) -> float:
    """Error spent by n seeds."""
    return ERROR_RATE * (n / race.max) ** SPENDING_EXPONENT
