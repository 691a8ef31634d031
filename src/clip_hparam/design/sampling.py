"""Designs that draw their own levels: independent random draws, or a scrambled Sobol sequence.

Both are functions of `sampling_seed`, and the first points stay when more samples are asked for.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from clip_hparam.design.design import Design
from clip_hparam.design.ranges import parse_range
from clip_hparam.rng import stream


def sample_points(design: Design, how: str) -> Iterator[dict[str, str]]:
    """The level of each knob, a dict a sample. Raises ValueError if no number of samples is given.

    A knob with a range is drawn from it, one with levels from those.
    """
    if not design.samples:
        raise ValueError(f"design {design.name} of kind {how} needs a number: say `samples: 32`")
    levels = list(design.knobs.values())
    for place in _sobol_positions(design) if how == "sobol" else _random_positions(design):
        drawn = (level_at(text, float(at)) for text, at in zip(levels, place, strict=True))
        yield dict(zip(design.knobs, drawn, strict=True))


def level_at(levels: Sequence[str], place: float) -> str:
    """At a place in [0, 1) of a range, or of a list of levels."""
    drawn_from = parse_range(levels[0]) if len(levels) == 1 else None
    return drawn_from.at(place) if drawn_from else levels[int(place * len(levels))]


def _random_positions(design: Design) -> NDArray[np.float64]:
    """Places, (samples, knobs): a stream a knob, so that one knob more changes no other."""
    streams = [stream(design.sampling_seed, 0, f"design {knob}") for knob in design.knobs]
    return np.stack([one.random(design.samples) for one in streams], axis=1)


def _sobol_positions(design: Design) -> NDArray[np.float64]:
    """Places, (samples, knobs), each power of two of them spread evenly over every knob."""
    from scipy.stats.qmc import Sobol  # 0.8 s that no other design pays

    sequence = Sobol(len(design.knobs), rng=design.sampling_seed)
    drawn: NDArray[np.float64] = sequence.random_base2((design.samples - 1).bit_length())
    return drawn[: design.samples]
