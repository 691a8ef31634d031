"""The text of a recipe file for a cell: its command, cost, accuracy and changed knobs."""

import json
import math
import shlex
import textwrap
from collections.abc import Iterable, Iterator

from clip_hparam.analysis.evidence.selection import SelectedCell
from clip_hparam.analysis.frames.frame import CELL_KNOBS, reported_values
from clip_hparam.analysis.stats.intervals import Estimate, estimate
from clip_hparam.config.options.sweep_options import DEFAULT_FAMILY
from clip_hparam.config.recipe import knobs
from clip_hparam.config.text.override_words import program_words, unquote
from clip_hparam.design.design import key_of, merged_overrides
from clip_hparam.design.paper_ladder import PAPER_V100_HOURS

DEFAULT_BASE = "weak_aug"
CONFIG_GROUPS = ("encoder", "data")
COMMENT_WIDTH = 97
PLACE_KNOBS = [name for name, knob in knobs().items() if not knob.metadata["hashed"]]
"""Where images and weights lie: no part of a recipe, and typed beside it."""


def recipe_text(selected: SelectedCell, name: str, verdict: str = "", config_dir: str = "") -> str:
    """Return the text of conf/recipe/<name>.yaml, or of such a file in another folder.

    config_dir: the folder that --config-dir takes; empty for the configs of the program.
    verdict: what a race decided about the cell, for the comment; "" for no race.

    Raises:
        ValueError: no trial of the cell is done.
    """
    if selected.trials.empty:
        raise ValueError(f"no trial of {selected.cell.label} is done")
    overrides = merged_overrides(selected.cell.overrides, selected.sweep.full)
    base, groups, values = _split_overrides(overrides)
    family = selected.sweep.family or DEFAULT_FAMILY
    typed = [] if family == DEFAULT_FAMILY else [f"family={family}"]
    places = [word for word in overrides if key_of(word) in PLACE_KNOBS]
    typed += [f"recipe={name}", *places]
    folder = ["--config-dir", config_dir] if config_dir else []
    lines = [
        "# @package _global_",
        f"# {shlex.join([*program_words(), *folder, *typed])}",
        *(f"# {line}" for line in _comment_lines(selected)),
        *(f"# {line}" for line in textwrap.wrap(verdict and f"Race: {verdict}.", COMMENT_WIDTH)),
        *_defaults_lines(f"{family}/{base}" if base in PAPER_V100_HOURS else base, groups),
        *_yaml_lines(values),
    ]
    return "\n".join(lines) + "\n"


def _defaults_lines(base: str, groups: dict[str, str]) -> list[str]:
    """Return Hydra's defaults list: base recipe, overridden groups, the file itself."""
    recipe = f"/recipe/{base}"
    if not groups:
        return [f"defaults: [{recipe}, _self_]"]
    overridden = [f"override /{group}: {choice}" for group, choice in groups.items()]
    return ["defaults:", *(f"  - {entry}" for entry in (recipe, *overridden, "_self_"))]


def _split_overrides(overrides: Iterable[str]) -> tuple[str, dict[str, str], dict[str, str]]:
    """Return the base recipe, the choice of each config group, and the text of each knob."""
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
    """Yield the lines of the top-level knobs, then those of each nested node."""
    values = {knob: _yaml_value(text) for knob, text in values.items()}
    yield from (f"{knob}: {text}" for knob, text in values.items() if "." not in knob)
    for node in CONFIG_GROUPS:
        nested = {knob: text for knob, text in values.items() if knob.startswith(f"{node}.")}
        if nested:
            yield f"{node}:"
            yield from (f"  {knob.partition('.')[2]}: {text}" for knob, text in nested.items())


def _yaml_value(text: str) -> str:
    """Return the value of an override in YAML, which escapes a text in quotes otherwise."""
    return json.dumps(unquote(text), ensure_ascii=False) if text[:1] in ("'", '"') else text


def _comment_lines(selected: SelectedCell) -> Iterator[str]:
    """Yield the lines of the opening comment: cost, accuracy, trials and sweep."""
    seconds, device = (
        selected.trials["cost.seconds"].mean(),
        selected.trials["numerics.device"].iloc[0],
    )
    accuracy = estimate(reported_values(selected.trials))
    yield f"Costs {seconds:.3g} s on {device}; gives {_format_estimate(accuracy)} of the test set"
    seeds, ids = ", ".join(map(str, selected.trials.index)), " ".join(selected.trials["trial_id"])
    yield f"({f'seeds {seeds}, 95 % t' if accuracy.n > 1 else f'seed {seeds}'}): trials {ids}."
    full_keys = {key_of(override) for override in selected.sweep.full}
    reduced = [text for text in selected.cell.overrides if key_of(text) in full_keys]
    if reduced:
        yield f"Measured with {' '.join(reduced)}; this file is the full run, not measured yet."
    sweep = f"sweep {selected.sweep.name} ({selected.sweep.sweep_id})"
    if selected.n_candidates > 1:
        yield f"The best of {selected.n_candidates} finished cells of {sweep} on the selection set."
    else:
        yield f"Cell {selected.cell.label} of {sweep}."


def _format_estimate(accuracy: Estimate) -> str:
    if math.isnan(accuracy.low):
        return f"{accuracy.mean:.2f} % ({accuracy.why})"
    return f"{accuracy.mean:.2f} +- {accuracy.high - accuracy.mean:.2f} %"
