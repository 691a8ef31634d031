"""Fractional factorials of two levels, by pydoe: fewer runs, and effects that share a contrast.

At resolution III main effects are aliased with two-factor interactions, at IV with three-factor
ones, at V with four-factor ones. Source: Box, Hunter and Hunter, Statistics for Experimenters.
"""

from typing import Any

from clip_hparam.design.design import Design

RESOLUTIONS = range(3, 7)


def fractional_factorial(design: Design) -> list[list[bool]]:
    """Which steps are on, a row a cell; all combinations where no fraction is fine enough.

    Raises ValueError for a resolution outside III to VI, and for fewer than two steps.
    """
    return [[bool(sign > 0) for sign in row] for row in _sign_matrix(design)]


def aliases(design: Design) -> list[str]:
    """ "a = b:c": main effects and two-factor interactions that this design cannot tell apart."""
    from pydoe import fracfact_aliasing  # imports scipy.stats: 1.4 s that no other design pays

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
    from pydoe import fracfact_by_res

    if design.resolution not in RESOLUTIONS:
        raise ValueError(
            f"design {design.name}: resolution {design.resolution} is not III, IV, V or VI: try IV"
        )
    if len(design.steps) < 2:
        raise ValueError(f"design {design.name} is fractional and has fewer than two steps")
    return fracfact_by_res(len(design.steps), design.resolution)
