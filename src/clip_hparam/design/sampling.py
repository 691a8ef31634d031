"""Designs that draw their own levels: independent random draws, or a scrambled Sobol sequence.

Both are functions of `sampling_seed`. A larger number of samples keeps the first points.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from clip_hparam.config.recipe import knobs
from clip_hparam.design.design import Design
from clip_hparam.design.knob_levels import is_legal, parse_knob_range, parse_level, validate_range
from clip_hparam.design.ranges import parse_range
from clip_hparam.rng import stream

Positions = Callable[[Design], NDArray[np.float64]]
"""Function that draws positions in [0, 1), shape (samples, knobs)."""


def sample_points(design: Design, positions: Positions) -> Iterator[dict[str, str]]:
    """Yield the level of each knob at each position, one dict per sample.

    A knob with a range is drawn from the range, a knob with levels from its levels.

    Raises:
        ValueError: the design gives no number of samples.
    """
    if not design.samples:
        raise ValueError(
            f"design {design.name} of kind {design.kind} needs samples: add `samples: 32`"
        )
    for knob, levels in design.knobs.items():
        _validate_choice(knob, levels)
    for point in positions(design):
        drawn = zip(design.knobs.items(), point, strict=True)
        yield {knob: level_at(knob, levels, float(x)) for (knob, levels), x in drawn}


def level_at(knob: str, levels: Sequence[str], position: float) -> str:
    """Return the level at a position in [0, 1) of a range or of a list of levels.

    A value that rounding moves to an end that the knob only approaches is not rounded.
    """
    bounds = parse_range(levels[0]) if len(levels) == 1 else None
    if bounds is None:
        return levels[int(position * len(levels))]
    text = bounds.value_at(position)
    return text if is_legal(knob, parse_level(text)) else repr(bounds.exact_value_at(position))


def _validate_choice(knob: str, levels: Sequence[str]) -> None:
    """Raise ValueError for a range beside levels, and for one that the knob cannot have."""
    for text in levels:
        bounds = parse_knob_range(knob, text)
        if bounds and len(levels) > 1:
            raise ValueError(
                f"{knob}={text} is a range together with levels, which only a search can sample:"
                " give one range, or levels"
            )
        if bounds and knob in knobs():
            validate_range(knob, text, bounds, open_ends=True)


def random_positions(design: Design) -> NDArray[np.float64]:
    """Draw positions in [0, 1), shape (samples, knobs).

    Each knob has its own random stream, so that another knob does not change its draws.
    """
    streams = [stream(design.sampling_seed, 0, f"design {knob}") for knob in design.knobs]
    return np.stack([rng.random(design.samples) for rng in streams], axis=1)


def sobol_positions(design: Design) -> NDArray[np.float64]:
    """Draw positions in [0, 1), shape (samples, knobs).

    The first 2^m points are spread evenly over the range of each knob, for every m.
    """
    from scipy.stats.qmc import Sobol  # lazy: scipy.stats, 0.8 s

    sequence = Sobol(len(design.knobs), rng=design.sampling_seed)
    drawn: NDArray[np.float64] = sequence.random_base2((design.samples - 1).bit_length())
    return drawn[: design.samples]
