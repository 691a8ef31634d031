"""Knobs that make a run cheaper without being what is asked about: points are trained at less."""

from collections.abc import Collection, Mapping
from typing import Any

from clip_hparam.config.knob import suggest
from clip_hparam.config.recipe import FIDELITIES, Recipe, flatten, with_values
from clip_hparam.planning.resolve import resolve

FIDELITY_KEY = "hydra.sweeper.fidelity"


def parse_fidelity(given: Any, recipe: Recipe, searched: Collection[str]) -> dict[str, int]:
    """Knob -> its value in the search; nothing if none is given.

    `recipe` is the full one, not resolved. Raises ValueError for a knob that is no fidelity or is
    searched itself, and for a value that is no cheaper.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not given:
        raise ValueError(f"{FIDELITY_KEY}={given} names no knobs: try {FIDELITY_KEY}={{epochs:5}}")
    for knob in given:
        if knob not in FIDELITIES:
            raise ValueError(f"{FIDELITY_KEY}: {knob} is none: {suggest(str(knob), FIDELITIES)}")
        if knob in searched:
            raise ValueError(
                f"{FIDELITY_KEY}: {knob} is searched itself: leave it out of one of them"
            )
    cheap = {str(knob): value for knob, value in given.items()}
    full, less = (flatten(resolve(one)) for one in (recipe, with_values(recipe, cheap)))
    for knob in cheap:
        most = full[knob]
        if not 0 < less[knob] < (most or float("inf")):  # data.shots=0 is all
            raise ValueError(
                f"{FIDELITY_KEY}: {knob}={less[knob]} is no cheaper than {knob}={most}"
            )
    return cheap
