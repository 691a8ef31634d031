"""The operations of RandAugment, and their arguments as functions of the magnitude.

Source: timm 1.0.31, `data/auto_augment.py`, the functions `_*_level_to_arg`.
"""

from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
LEVELS = 10.0  # timm's `_LEVEL_DENOM`
LARGEST_TRANSLATION = 0.45  # share of the side, at level 10


class Kind(IntEnum):
    """An operation on pixels; the order groups those that are applied together.

    The first eight give each level of a plane another level; SHEAR_X to ROTATE move pixels.
    """

    NONE = -1
    AUTO_CONTRAST = 0
    EQUALIZE = 1
    CONTRAST = 2
    BRIGHTNESS = 3
    INVERT = 4
    POSTERIZE = 5
    SOLARIZE = 6
    SOLARIZE_ADD = 7
    COLOR = 8
    SHARPNESS = 9
    GAUSSIAN_BLUR = 10
    SHEAR_X = 11
    TRANSLATE_X = 12
    SHEAR_Y = 13
    TRANSLATE_Y = 14
    ROTATE = 15


class Operation(NamedTuple):
    """The operation of a timm name.

    argument: function of magnitudes, shape (n,), and signs, 1 or -1, that returns the arguments:
    bits to keep, a threshold, a level to add, a factor, a blur radius in px, a shear factor,
    degrees, or a translation as a share of the side.
    """

    kind: Kind
    argument: Callable[[Values, Values], Values]


def _nothing(levels: Values, signs: Values) -> Values:
    return np.zeros_like(levels)


def _signed(scale: float, levels: Values, signs: Values) -> Values:
    return signs * (levels / LEVELS * scale)


def _factor(levels: Values, signs: Values) -> Values:
    return levels / LEVELS * 1.8 + 0.1


def _increasing_factor(levels: Values, signs: Values) -> Values:
    return np.maximum(0.1, 1 + signs * (levels / LEVELS * 0.9))


def _bits(levels: Values, signs: Values) -> Values:
    return np.trunc(levels / LEVELS * 4)


def _threshold(levels: Values, signs: Values) -> Values:
    return np.minimum(256, np.trunc(levels / LEVELS * 256))


def _added(levels: Values, signs: Values) -> Values:
    return np.minimum(128, np.trunc(levels / LEVELS * 110))


def _between(low: float, high: float, levels: Values, signs: Values) -> Values:
    return np.clip(low + (high - low) * (levels / LEVELS), low, high)


def _less_colour(levels: Values, signs: Values) -> Values:
    return np.clip(1 - _between(0.5, 1.0, levels, signs), 0, 1)


OPERATIONS: Mapping[str, Operation] = {
    "AutoContrast": Operation(Kind.AUTO_CONTRAST, _nothing),
    "Equalize": Operation(Kind.EQUALIZE, _nothing),
    "Invert": Operation(Kind.INVERT, _nothing),
    "Rotate": Operation(Kind.ROTATE, partial(_signed, 30.0)),
    "Posterize": Operation(Kind.POSTERIZE, _bits),
    "PosterizeIncreasing": Operation(Kind.POSTERIZE, lambda *drawn: 4 - _bits(*drawn)),
    "Solarize": Operation(Kind.SOLARIZE, _threshold),
    "SolarizeIncreasing": Operation(Kind.SOLARIZE, lambda *drawn: 256 - _threshold(*drawn)),
    "SolarizeAdd": Operation(Kind.SOLARIZE_ADD, _added),
    "Color": Operation(Kind.COLOR, _factor),
    "ColorIncreasing": Operation(Kind.COLOR, _increasing_factor),
    "Contrast": Operation(Kind.CONTRAST, _factor),
    "ContrastIncreasing": Operation(Kind.CONTRAST, _increasing_factor),
    "Brightness": Operation(Kind.BRIGHTNESS, _factor),
    "BrightnessIncreasing": Operation(Kind.BRIGHTNESS, _increasing_factor),
    "Sharpness": Operation(Kind.SHARPNESS, _factor),
    "SharpnessIncreasing": Operation(Kind.SHARPNESS, _increasing_factor),
    "ShearX": Operation(Kind.SHEAR_X, partial(_signed, 0.3)),
    "ShearY": Operation(Kind.SHEAR_Y, partial(_signed, 0.3)),
    "TranslateXRel": Operation(Kind.TRANSLATE_X, partial(_signed, LARGEST_TRANSLATION)),
    "TranslateYRel": Operation(Kind.TRANSLATE_Y, partial(_signed, LARGEST_TRANSLATION)),
    "Desaturate": Operation(Kind.COLOR, _less_colour),
    "GaussianBlur": Operation(Kind.GAUSSIAN_BLUR, partial(_between, 0.1, 2.0)),
}
"""By timm's name: all operations of the transform sets that a string can name."""
