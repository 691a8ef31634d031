"""From a design, the keys of `hydra.sweeper` and the command line to a search, or a sentence."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clip_hparam import cost
from clip_hparam.design import Design, merged
from clip_hparam.driver import Driver, places
from clip_hparam.job import Job
from clip_hparam.ranges import read
from clip_hparam.search import methods
from clip_hparam.search.goal import goal
from clip_hparam.search.search import Search
from clip_hparam.search.space import Space, space
from clip_hparam.search.url import masked

KEY = "hydra.sweeper"
TRIALS = 20
"""Points of a search that does not say how many."""


@dataclass(frozen=True)
class Asked:
    """The keys of `hydra.sweeper` beside the design, as they were typed."""

    n_trials: Any = None
    n_jobs: Any = None
    study_name: Any = None
    storage: Any = None
    objective: Any = "selection_acc1"
    direction: Any = None
    sampler: Any = None
    pruner: Any = None
    params: Any = None
    timeout: Any = None
    budget: Any = None


def search_of(
    design: Design,
    base: Job,
    asked: Asked,
    driver: Driver,
    seeds: Sequence[int],
) -> Search:
    """Raises ValueError for a space, goal or method that cannot be.

    `base` has a recipe that is not resolved; knobs of the design with one level are in it already.
    """
    aim = goal(asked.objective, asked.direction)
    varied = space(design.knobs, design.when)
    sampler = methods.named(asked.sampler, "tpe")
    found = Search(
        name=design.name,
        study_name=str(asked.study_name or ""),
        base=base,
        overrides=design.base,
        levels={knob: tuple(levels) for knob, levels in design.knobs.items()},
        when=dict(design.when),
        seeds=tuple(seeds),
        goal=aim,
        sampler=sampler,
        pruner=methods.named(asked.pruner, "asha" if aim.has_curve else "none"),
        n_trials=_points(asked.n_trials, sampler["name"], varied),
        storage=masked(str(asked.storage or "")),
        timeout=_seconds(f"{KEY}.timeout", asked.timeout),
        budget=_seconds("budget", asked.budget or driver.budget)
        * len(places(driver, base.machine.device)),
        retries=driver.retries,
    )
    methods.sampler(found.sampler, varied, aim, 0)
    methods.pruner(found.pruner, aim, found.epochs, len(found.seeds))
    for point in varied.extremes():
        found.jobs(point)
    return found


def shaped(design: Design, levels: Mapping[str, Sequence[str]]) -> Design:
    """The design with further levels; a knob with one level only is part of the base."""
    knobs = {**design.knobs, **levels}
    base = merged(design.base, [f"{knob}={one[0]}" for knob, one in knobs.items() if fixed(one)])
    varied = {knob: texts for knob, texts in knobs.items() if not fixed(texts)}
    if not varied:
        raise ValueError("a search needs knobs to vary: try lr='tag(log,interval(1e-3,1e-2))'")
    return Design(design.name, "search", base, varied, seeds=design.seeds, when=design.when)


def fixed(texts: Sequence[str]) -> bool:
    return len(texts) == 1 and read(texts[0]) is None


def listed(text: str) -> list[str]:
    """Levels as they stand on a command line: "0, interval(0.2, 1)", "[0, 1]" or "choice(0, 1)"."""
    bare = text.strip()
    for opening, closing in (("choice(", ")"), ("[", "]")):
        if bare.startswith(opening) and bare.endswith(closing):
            bare = bare.removeprefix(opening).removesuffix(closing)
    return [part.strip() for part in re.split(r",(?![^(]*\))", bare)]


def _points(given: Any, sampler: str, varied: Space) -> int:
    size = len(varied.grid()) if sampler == "grid" else None
    if given is None:
        return size or TRIALS
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise ValueError(f"{KEY}.n_trials={given} is no number of points from 1 on: try {TRIALS}")
    return min(given, size) if size else given


def workers_of(asked: Asked, driver: Driver) -> Driver:
    """`hydra.sweeper.n_jobs` is Optuna's name for `workers`."""
    if asked.n_jobs is None:
        return driver
    return replace(driver, workers=asked.n_jobs)


def _seconds(key: str, given: Any) -> float:
    """A number of seconds, or a time such as 8h; 0 for none."""
    if given in (None, "none"):
        return 0.0
    if isinstance(given, (int, float)) and not isinstance(given, bool) and given > 0:
        return float(given)
    return cost.seconds_of(str(given), key)
