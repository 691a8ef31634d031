"""From a design, the keys of `hydra.sweeper` and the command line to a search, or a sentence."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from clip_hparam.config import duration
from clip_hparam.config.recipe import flatten, with_values
from clip_hparam.config.search_options import SearchOptions
from clip_hparam.config.sweep_options import SweepOptions
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.design.design import (
    Design,
    format_value,
    key_of,
    merged_overrides,
    parse_design,
    with_base,
)
from clip_hparam.launch.resources import gpu_slots
from clip_hparam.records.credentials import without_password
from clip_hparam.search import fidelity, samplers
from clip_hparam.search.objective import parse_objective
from clip_hparam.search.space import Space, parse_knob_range, parse_space
from clip_hparam.search.spec import SearchSpec

SWEEPER_KEY = "hydra.sweeper"
SWEEP_NAME_PATTERN = r"\w[\w.=-]*"
DEFAULT_N_TRIALS = 20
"""Points of a search that does not say how many."""


def create_search_spec(
    design: Design,
    base: TrialSpec,
    asked: SearchOptions,
    driver: SweepOptions,
    seeds: Sequence[int],
) -> SearchSpec:
    """Raises ValueError for a space, goal, method or fidelity that cannot be.

    `base` has a recipe that is not resolved; knobs of the design with one level are in it already.
    """
    cheap = fidelity.parse_fidelity(asked.fidelity, base.recipe, design.knobs)
    whole = {knob: format_value(flatten(base.recipe)[knob]) for knob in cheap}
    base = replace(base, recipe=with_values(base.recipe, cheap))
    design = with_base(design, [f"{knob}={value}" for knob, value in cheap.items()])
    aim = parse_objective(asked.objective, asked.direction)
    if aim.shift_objective and base.recipe.data.shift == "none":
        raise ValueError(
            f"{SWEEPER_KEY}.objective={aim.shift_objective} is of images from elsewhere, and"
            " data.shift=none: try data.shift=printed, or data.shift=folder data.shift_root=PATH"
        )
    varied = parse_space(design.knobs, design.when)
    sampler = samplers.parse_method(asked.sampler, "tpe")
    if asked.study_name and not re.fullmatch(SWEEP_NAME_PATTERN, str(asked.study_name)):
        raise ValueError(
            f"{SWEEPER_KEY}.study_name={asked.study_name} cannot name a file: letters, digits and"
            " . - = _"
        )
    found = SearchSpec(
        name=design.name,
        study_name=str(asked.study_name or ""),
        base=base,
        overrides=design.base,
        levels={knob: tuple(levels) for knob, levels in design.knobs.items()},
        when=dict(design.when),
        seeds=tuple(seeds),
        goal=aim,
        sampler=sampler,
        pruner=samplers.parse_method(asked.pruner, "asha" if aim.has_curve else "none"),
        n_trials=_n_trials(asked.n_trials, sampler["name"], varied),
        storage=without_password(str(asked.storage or "")),
        timeout=_parse_timeout(f"{SWEEPER_KEY}.timeout", asked.timeout),
        budget=_parse_timeout("budget", asked.budget or driver.budget)
        * len(gpu_slots(driver, base.machine.device)),
        retries=driver.retries,
        full=whole,
    )
    samplers.create_sampler(found.sampler, varied, aim, 0)
    samplers.create_pruner(found.pruner, aim, found.epochs, found.warmup, len(found.seeds))
    for point in varied.boundary_values():
        found.jobs(point)
    return found


def designed(
    tree: Mapping[str, Any] | None, asked: SearchOptions, swept: Sequence[str], fixed: Sequence[str]
) -> Design:
    """The design of a file, or none, with `params` and the overrides of the command line.

    An override of a knob that is searched takes the place of its levels, any other one joins the
    base; so does a knob that has one level left. Raises ValueError if nothing is left to vary.
    """
    design = parse_design(tree or {"name": asked.study_name or "search", "kind": "search"})
    levels = {knob: list(texts) for knob, texts in design.knobs.items()}
    levels |= {knob: split_levels(text) for knob, text in (asked.params or {}).items()}
    of_knobs = [override for override in fixed if key_of(override) in levels]
    for override in (*swept, *of_knobs):
        levels[key_of(override)] = split_levels(override.partition("=")[2])
    varied = {
        knob: texts
        for knob, texts in levels.items()
        if len(texts) > 1 or parse_knob_range(knob, texts[0])
    }
    if not varied:
        raise ValueError("a search needs knobs to vary: try lr='tag(log,interval(1e-3,1e-2))'")
    rest = [override for override in fixed if override not in of_knobs]
    single = [f"{knob}={texts[0]}" for knob, texts in levels.items() if knob not in varied]
    return replace(design, base=merged_overrides(design.base, rest, single), knobs=varied)


def split_levels(text: str) -> list[str]:
    """Levels as they stand on a command line: "0, interval(0.2, 1)", "[0, 1]" or "choice(0, 1)"."""
    bare = text.strip()
    for opening, closing in (("choice(", ")"), ("[", "]")):
        if bare.startswith(opening) and bare.endswith(closing):
            bare = bare.removeprefix(opening).removesuffix(closing)
    levels, depth = [""], 0
    for letter in bare:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            levels.append("")
        else:
            levels[-1] += letter
    return [level.strip(" '\"") for level in levels]


def _n_trials(given: Any, sampler: str, varied: Space) -> int:
    size = len(varied.grid()) if sampler == "grid" else None
    if given is None:
        return size or DEFAULT_N_TRIALS
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise ValueError(
            f"{SWEEPER_KEY}.n_trials={given} is no number of points from 1 on: try"
            f" {DEFAULT_N_TRIALS}"
        )
    return min(given, size) if size else given


def with_worker_count(asked: SearchOptions, driver: SweepOptions) -> SweepOptions:
    """`hydra.sweeper.n_jobs` is Optuna's name for `workers`."""
    if asked.n_jobs is None:
        return driver
    return replace(driver, workers=asked.n_jobs)


def _parse_timeout(key: str, given: Any) -> float:
    """A number of seconds, or a time such as 8h; 0 for none."""
    if given in (None, "none"):
        return 0.0
    if isinstance(given, (int, float)) and not isinstance(given, bool) and given > 0:
        return float(given)
    return duration.parse_duration(str(given), key)
