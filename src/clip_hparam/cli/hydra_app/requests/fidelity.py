"""The `fidelity` of a search: cheaper values of some knobs for training its points."""

from collections.abc import Collection, Mapping
from typing import Any

from clip_hparam.config.knob import suggest
from clip_hparam.config.recipe import FIDELITIES, Recipe, flatten, with_values
from clip_hparam.planning.resolve import resolve

FIDELITY_KEY = "hydra.sweeper.fidelity"


def parse_fidelity(given: Any, recipe: Recipe, searched: Collection[str]) -> dict[str, int]:
    """Return the cheaper values by knob; empty if `given` is None.

    recipe: the recipe at full fidelity, not resolved. searched: the knobs of the search space.

    Raises:
        ValueError: a knob that is no fidelity or is searched itself, or a value that is not
            cheaper than the one of the recipe.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not given:
        raise ValueError(f"{FIDELITY_KEY}={given} names no knobs: try {FIDELITY_KEY}={{epochs:5}}")
    for knob in given:
        if knob not in FIDELITIES:
            raise ValueError(
                f"{FIDELITY_KEY}: {knob} does not make a trial cheaper:"
                f" {suggest(str(knob), FIDELITIES)}"
            )
        if knob in searched:
            raise ValueError(
                f"{FIDELITY_KEY}: {knob} is searched itself: leave it out of one of them"
            )
    cheap = {str(knob): value for knob, value in given.items()}
    full = flatten(resolve(recipe))
    reduced = flatten(resolve(with_values(recipe, cheap)))
    for knob in cheap:
        limit = full[knob] or float("inf")  # data.shots=0 is all images
        if not 0 < reduced[knob] < limit:
            raise ValueError(
                f"{FIDELITY_KEY}: {knob}={reduced[knob]} is no cheaper than {knob}={full[knob]}"
            )
    return cheap
