"""A cell as a recipe file ready to commit: its difference from its base, its command and number."""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pandas as pd

from clip_hparam.analysis.frames.frame import Frames, reported
from clip_hparam.analysis.frames.manifests import Cell, Sweep, newest
from clip_hparam.analysis.stats.intervals import Estimate, estimate
from clip_hparam.config.knob import suggest
from clip_hparam.config.recipe import knobs
from clip_hparam.design.design import key_of, merged_overrides

BASE, NOT_OURS = "weak_aug", ("seed", "data.root", "encoder.pretrained")
GROUPS = ("encoder", "data")


class Chosen(NamedTuple):
    """A cell, its done trials (index: seed), and of how many finished cells it is the best."""

    sweep: Sweep
    cell: Cell
    trials: pd.DataFrame
    among: int = 0  # 0: it was named, not picked


def chosen(frames: Frames, name: str) -> Chosen:
    """The best finished cell of a sweep on the selection set, or the cell or trial of a name.

    Raises ValueError if there is none.
    """
    sweeps = newest(frames.sweeps)
    by_id = {sweep.sweep_id: sweep for sweep in frames.sweeps}
    if sweep := sweeps.get(name) or by_id.get(name):
        return _best(frames, sweep)
    where, _, label = name.rpartition("/")
    for sweep in sweeps.values():
        for cell in sweep.cells:
            is_it = cell.label == label and where in ("", sweep.name)
            if is_it or (len(name) >= 6 and _has(cell, name)):
                return Chosen(sweep, cell, _done(frames, cell))
    raise ValueError(f"no sweep, cell or trial of one is called {name}: {suggest(name, sweeps)}")


def recipe_file(found: Chosen, called: str) -> str:
    """The text of conf/recipe/<called>.yaml. Raises ValueError if no trial of the cell is done."""
    if found.trials.empty:
        raise ValueError(f"no trial of {found.cell.label} is done: clip-hparam retry runs them")
    base, groups, values = _parts(merged_overrides(found.cell.overrides, found.sweep.full))
    defaults = [f"/recipe/{base}" if "/" in base else base]
    overridden = [f"override /{group}: {choice}" for group, choice in groups.items()]
    listed = ["defaults:", *(f"  - {one}" for one in (*defaults, *overridden, "_self_"))]
    lines = [
        "# @package _global_",
        f"# python sweep.py recipe={called}",
        *(f"# {line}" for line in _told(found)),
        *(listed if overridden else [f"defaults: [{defaults[0]}, _self_]"]),
        *_yaml(values),
    ]
    return "\n".join(lines) + "\n"


def _best(frames: Frames, sweep: Sweep) -> Chosen:
    with_trials = [(cell, _done(frames, cell)) for cell in sweep.cells]
    finished = [(cell, done) for cell, done in with_trials if len(done) == len(cell.trials) > 0]
    if not finished:
        raise ValueError(f"no cell of {sweep.name} is finished: clip-hparam status shows why")
    means = [float(reported(done, "selection_acc1").mean()) for _, done in finished]
    best, done = finished[means.index(max(means))]
    return Chosen(sweep, best, done, len(finished))


def _done(frames: Frames, cell: Cell) -> pd.DataFrame:
    trials = frames.trials.set_index("trial_id", drop=False)
    rows = trials.reindex(list(cell.trials.values())).set_axis(pd.Index(cell.trials), axis="index")
    done: pd.DataFrame = rows[rows["status"] == "done"]
    return done


def _has(cell: Cell, prefix: str) -> bool:
    return any(trial.startswith(prefix) for trial in cell.trials.values())


def _parts(overrides: Iterable[str]) -> tuple[str, dict[str, str], dict[str, str]]:
    """The base recipe, the choices of groups, and the knobs, as they are written."""
    base, groups, values = BASE, dict[str, str](), dict[str, str]()
    for override in overrides:
        key, text = key_of(override), override.partition("=")[2]
        if key == "recipe":
            base = text
        elif key in GROUPS:
            groups[key] = text
        elif key in knobs() and key not in NOT_OURS:
            values[key] = text
    return base, groups, values


def _yaml(values: dict[str, str]) -> Iterator[str]:
    """Flat knobs in their order, then nodes with theirs."""
    yield from (f"{knob}: {text}" for knob, text in values.items() if "." not in knob)
    for node in GROUPS:
        inner = {knob: text for knob, text in values.items() if knob.startswith(f"{node}.")}
        if inner:
            yield f"{node}:"
            yield from (f"  {knob.partition('.')[2]}: {text}" for knob, text in inner.items())


def _told(found: Chosen) -> Iterator[str]:
    """Cost, number, and where both are from; a line each."""
    seconds, device = found.trials["cost.seconds"].mean(), found.trials["numerics.device"].iloc[0]
    number = estimate(reported(found.trials))
    yield f"Costs {seconds:.3g} s on {device}; gives {_number(number)} of the test set"
    seeds, ids = ", ".join(map(str, found.trials.index)), " ".join(found.trials["trial_id"])
    yield f"({f'seeds {seeds}, 95 % t' if number.n > 1 else f'seed {seeds}'}): trials {ids}."
    whole = {key_of(override) for override in found.sweep.full}
    cheap = [one for one in found.cell.overrides if key_of(one) in whole]
    if cheap:
        yield f"That was at {' '.join(cheap)}; this file is the full run, not measured there."
    sweep = f"sweep {found.sweep.name} ({found.sweep.sweep_id})"
    if found.among > 1:
        yield f"The best of {found.among} finished cells of {sweep} on the selection set."
    else:
        yield f"Cell {found.cell.label} of {sweep}."


def _number(number: Estimate) -> str:
    if math.isnan(number.low):
        return f"{number.mean:.2f} % ({number.why})"
    return f"{number.mean:.2f} +- {number.high - number.mean:.2f} %"
