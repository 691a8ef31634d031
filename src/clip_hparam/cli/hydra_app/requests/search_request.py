"""Builds a search from a design, the keys of `hydra.sweeper` and the command line."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from clip_hparam.cli.hydra_app.grammar.design_files import refuse_references
from clip_hparam.cli.hydra_app.grammar.levels import split_design_levels, split_levels
from clip_hparam.cli.hydra_app.requests.fidelity import parse_fidelity
from clip_hparam.config.options.search_options import SearchOptions
from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.config.recipe import flatten, with_values
from clip_hparam.config.text.duration import parse_duration
from clip_hparam.config.text.override_words import format_override, format_value
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.design.design import (
    Design,
    key_of,
    merged_overrides,
    parse_design,
    with_base,
)
from clip_hparam.design.knob_levels import parse_knob_range
from clip_hparam.launch.resources import gpu_slots
from clip_hparam.records.credentials import without_password
from clip_hparam.search.methods.optuna_options import parse_options
from clip_hparam.search.methods.pruners import create_pruner
from clip_hparam.search.methods.samplers import create_sampler
from clip_hparam.search.objective import parse_objective
from clip_hparam.search.space import Space, parse_space
from clip_hparam.search.spec import SearchSpec

SWEEPER_KEY = "hydra.sweeper"
STUDY_NAME_PATTERN = r"\w[\w.=-]*"
NOTHING_VARIES = "a search needs knobs to vary: try lr='tag(log,interval(1e-3,1e-2))'"
DEFAULT_N_TRIALS = 20
"""Number of points of a search without `n_trials`."""


def create_search_spec(
    design: Design,
    base: TrialSpec,
    options: SearchOptions,
    driver: SweepOptions,
    seeds: Sequence[int],
) -> SearchSpec:
    """Return the search that a design and the keys of hydra.sweeper ask for.

    base: its recipe is not resolved, and contains the knobs of the design that have one level.

    Raises:
        ValueError: an invalid space, objective, sampler, pruner or fidelity.
    """
    design, base, full = _with_fidelity(design, base, options)
    goal = parse_objective(options.objective, options.direction)
    space = parse_space(design.knobs, design.when)
    if not space.varies:
        raise ValueError(NOTHING_VARIES)
    sampler = parse_options(options.sampler, "tpe")
    search = SearchSpec(
        name=design.name,
        study_name=_parse_study_name(options.study_name),
        base=base,
        overrides=design.base,
        levels={knob: tuple(levels) for knob, levels in design.knobs.items()},
        when=dict(design.when),
        seeds=tuple(seeds),
        goal=goal,
        sampler=sampler,
        pruner=parse_options(options.pruner, "asha" if goal.has_curve else "none"),
        n_trials=_parse_n_trials(options.n_trials, sampler["name"], space),
        storage=without_password(str(options.storage or "")),
        timeout=_parse_seconds(f"{SWEEPER_KEY}.timeout", options.timeout),
        budget=_total_budget(options, driver, base.machine.device),
        retries=driver.retries,
        full=full,
    )
    _validate_search(search)
    return search


def create_search_design(
    tree: Mapping[str, Any] | None,
    options: SearchOptions,
    swept: Sequence[str],
    fixed: Sequence[str],
) -> Design:
    """Return the design of a search: a design file, `params` and the command line.

    An override of a searched knob replaces its levels; all other overrides join the base, and so
    does a knob that has a single level left.

    tree: content of the design file, or None. swept, fixed: overrides that are typed, the swept
    ones with levels or a range.

    Raises:
        ValueError: no knob is left to vary.
    """
    tree = tree or {"name": options.study_name or "search", "kind": "search"}
    knobs = {**(tree.get("knobs") or {}), **(options.params or {})}
    design = parse_design(split_design_levels({**tree, "knobs": knobs}))
    levels = dict(design.knobs)
    of_knobs = [override for override in fixed if key_of(override) in levels]
    for override in (*swept, *of_knobs):
        knob = key_of(override)
        levels[knob] = split_levels(override.partition("=")[2], knob)
    refuse_references(levels)
    varied = {
        knob: texts
        for knob, texts in levels.items()
        if len(texts) != 1 or parse_knob_range(knob, texts[0])
    }
    if not varied:
        raise ValueError(NOTHING_VARIES)
    others = [override for override in fixed if override not in of_knobs]
    single = [f"{knob}={texts[0]}" for knob, texts in levels.items() if knob not in varied]
    return replace(design, base=merged_overrides(design.base, others, single), knobs=varied)


def with_worker_count(options: SearchOptions, driver: SweepOptions) -> SweepOptions:
    """Return the driver's options with `hydra.sweeper.n_jobs`, Optuna's name for `workers`."""
    if options.n_jobs is None:
        return driver
    return replace(driver, workers=options.n_jobs)


def _with_fidelity(
    design: Design, base: TrialSpec, options: SearchOptions
) -> tuple[Design, TrialSpec, dict[str, str]]:
    """Return the design and the base at the `fidelity` of the options, and the full values."""
    cheap = parse_fidelity(options.fidelity, base.recipe, design.knobs)
    full = {knob: format_value(flatten(base.recipe)[knob]) for knob in cheap}
    base = replace(base, recipe=with_values(base.recipe, cheap))
    added = [format_override(knob, value) for knob, value in cheap.items()]
    return with_base(design, added), base, full


def _total_budget(options: SearchOptions, driver: SweepOptions, device: str) -> float:
    """Return the budget in seconds of all workers together; 0 for no limit."""
    seconds = _parse_seconds("budget", options.budget or driver.budget)
    return seconds * len(gpu_slots(driver, device))


def _validate_search(search: SearchSpec) -> None:
    """Raise ValueError for a search whose parts do not fit together."""
    shift = search.goal.shift_objective
    if shift and search.base.recipe.data.shift == "none":
        raise ValueError(
            f"{SWEEPER_KEY}.objective={shift} is of images from elsewhere, and data.shift=none:"
            " try data.shift=printed, or data.shift=folder data.shift_root=PATH"
        )
    create_sampler(search.sampler, search.space, search.goal, 0)
    create_pruner(
        search.pruner, search.goal, search.max_epochs, search.max_warmup, len(search.seeds)
    )
    for values in search.space.boundary_values():
        search.trial_specs(values)


def _parse_study_name(given: Any) -> str:
    name = str(given or "")
    if name and not re.fullmatch(STUDY_NAME_PATTERN, name):
        raise ValueError(
            f"{SWEEPER_KEY}.study_name={name} cannot name a file: try letters, digits and . - = _"
        )
    return name


def _parse_n_trials(given: Any, sampler: str, space: Space) -> int:
    """Return the number of points; a grid has no more points than combinations."""
    size = len(space.grid()) if sampler == "grid" else None
    if given is None:
        return size or DEFAULT_N_TRIALS
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise ValueError(
            f"{SWEEPER_KEY}.n_trials={given} is not a positive whole number: try {DEFAULT_N_TRIALS}"
        )
    return min(given, size) if size else given


def _parse_seconds(key: str, given: Any) -> float:
    """Return the seconds of a number or a time such as 8h; 0 for None and "none"."""
    if given in (None, "none"):
        return 0.0
    if isinstance(given, (int, float)) and not isinstance(given, bool) and given > 0:
        return float(given)
    return parse_duration(str(given), key)
