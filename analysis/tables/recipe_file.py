"""A cell as a recipe file ready to commit: its difference from its base, its command and number."""

import math
from collections.abc import Iterable, Iterator

from clip_hparam.analysis.evidence.selection import SelectedCell
from clip_hparam.analysis.frames.frame import CELL_KNOBS, reported_values
from clip_hparam.analysis.stats.intervals import Estimate, estimate
from clip_hparam.design.design import key_of, merged_overrides

DEFAULT_BASE = "weak_aug"
CONFIG_GROUPS = ("encoder", "data")


def recipe_text(found: SelectedCell, called: str) -> str:
    """The text of conf/recipe/<called>.yaml. Raises ValueError if no trial of the cell is done."""
    if found.trials.empty:
        raise ValueError(f"no trial of {found.cell.label} is done: clip-hparam retry runs them")
    base, groups, values = _split_overrides(
        merged_overrides(found.cell.overrides, found.sweep.full)
    )
    defaults = [f"/recipe/{base}" if "/" in base else base]
    overridden = [f"override /{group}: {choice}" for group, choice in groups.items()]
    listed = ["defaults:", *(f"  - {one}" for one in (*defaults, *overridden, "_self_"))]
    lines = [
        "# @package _global_",
        f"# python sweep.py recipe={called}",
        *(f"# {line}" for line in _comment_lines(found)),
        *(listed if overridden else [f"defaults: [{defaults[0]}, _self_]"]),
        *_yaml_lines(values),
    ]
    return "\n".join(lines) + "\n"


def _split_overrides(overrides: Iterable[str]) -> tuple[str, dict[str, str], dict[str, str]]:
    """The base recipe, the choices of groups, and the knobs, as they are written."""
    base, groups, values = DEFAULT_BASE, dict[str, str](), dict[str, str]()
    for override in overrides:
        key, text = key_of(override), override.partition("=")[2]
        if key == "recipe":
            base = text
        elif key in CONFIG_GROUPS:
            groups[key] = text
        elif key in CELL_KNOBS:
            values[key] = text
    return base, groups, values


def _yaml_lines(values: dict[str, str]) -> Iterator[str]:
    """Flat knobs in their order, then nodes with theirs."""
    yield from (f"{knob}: {text}" for knob, text in values.items() if "." not in knob)
    for node in CONFIG_GROUPS:
        inner = {knob: text for knob, text in values.items() if knob.startswith(f"{node}.")}
        if inner:
            yield f"{node}:"
            yield from (f"  {knob.partition('.')[2]}: {text}" for knob, text in inner.items())


def _comment_lines(found: SelectedCell) -> Iterator[str]:
    """Cost, number, and where both are from; a line each."""
    seconds, device = found.trials["cost.seconds"].mean(), found.trials["numerics.device"].iloc[0]
    number = estimate(reported_values(found.trials))
    yield f"Costs {seconds:.3g} s on {device}; gives {_format_estimate(number)} of the test set"
    seeds, ids = ", ".join(map(str, found.trials.index)), " ".join(found.trials["trial_id"])
    yield f"({f'seeds {seeds}, 95 % t' if number.n > 1 else f'seed {seeds}'}): trials {ids}."
    whole = {key_of(override) for override in found.sweep.full}
    cheap = [one for one in found.cell.overrides if key_of(one) in whole]
    if cheap:
        yield f"That was at {' '.join(cheap)}; this file is the full run, not measured there."
    sweep = f"sweep {found.sweep.name} ({found.sweep.sweep_id})"
    if found.n_candidates > 1:
        yield f"The best of {found.n_candidates} finished cells of {sweep} on the selection set."
    else:
        yield f"Cell {found.cell.label} of {sweep}."


def _format_estimate(number: Estimate) -> str:
    if math.isnan(number.low):
        return f"{number.mean:.2f} % ({number.why})"
    return f"{number.mean:.2f} +- {number.high - number.mean:.2f} %"
