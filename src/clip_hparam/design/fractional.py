"""Two-level fractional factorials by pydoe: fewer cells than all combinations, aliased effects.

Main effects are aliased with two-factor interactions at resolution III, with three-factor
interactions at IV and with four-factor interactions at V.
Source: Box, Hunter and Hunter, Statistics for Experimenters.
"""

from typing import Any

from clip_hparam.design.design import Design

RESOLUTIONS = range(3, 7)


def fractional_factorial(design: Design) -> list[list[bool]]:
    """Return one row per cell, saying of each step whether it is on.

    The rows are all combinations where no fraction reaches the resolution.

    Raises:
        ValueError: a resolution outside III to VI, or fewer than two steps.
    """
    return [[bool(sign > 0) for sign in row] for row in _sign_matrix(design)]


def aliases(design: Design) -> list[str]:
    """List the main effects and two-factor interactions that are aliased, as "a = b:c"."""
    from pydoe import fracfact_aliasing  # lazy: pydoe with scipy.stats, 1.4 s

    named = {chr(ord("a") + n): step.label for n, step in enumerate(design.steps)}
    chains, _ = fracfact_aliasing(_sign_matrix(design))
    lines = []
    for chain in chains:
        words = [word for word in chain.split(" = ") if len(word) <= 2]
        if len(words) > 1:
            lines.append(" = ".join(":".join(named[letter] for letter in word) for word in words))
    if not lines:
        return ["aliases: no main effect or two-factor interaction shares a contrast with another"]
    return ["aliases, of main effects and two-factor interactions:", *(f"  {x}" for x in lines)]


def _sign_matrix(design: Design) -> Any:
    from pydoe import fracfact_by_res  # lazy: pydoe with scipy.stats, 1.4 s

    if design.resolution not in RESOLUTIONS:
        raise ValueError(
            f"design {design.name}: resolution {design.resolution} is not III, IV, V or VI: try IV"
        )
    if len(design.steps) < 2:
        raise ValueError(f"design {design.name} is fractional and has fewer than two steps")
    return fracfact_by_res(len(design.steps), design.resolution)
