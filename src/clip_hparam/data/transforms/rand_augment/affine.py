"""Shear, translation and rotation as in Pillow's `Image.transform`, for squares.

A pixel outside the source is the fill colour. Inside, taps beyond the border repeat the border, and
the cubic kernel has a = -1, which differs from that of `resize`. Positions are float64, so that the
same pixels are filled; levels are computed in float32 and differ from Pillow's by at most one.
Source: Pillow `src/libImaging/Geometry.c`.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clip_hparam.data.transforms.rand_augment.operations import Kind, Values

ROUNDING = 2**-10  # added before levels are truncated: larger than the error of float32


def axis_parameters(kinds: NDArray[np.int64], arguments: Values, side: int) -> Values:
    """Return axis (0: x, 1: y), slope and shift in px of shears and translations, shape (n, 3)."""
    axis = np.isin(kinds, (Kind.SHEAR_Y, Kind.TRANSLATE_Y))
    shears = np.isin(kinds, (Kind.SHEAR_X, Kind.SHEAR_Y))
    return np.stack(
        [axis, np.where(shears, arguments, 0), np.where(shears, 0, arguments * side)], axis=1
    )


def rotation_matrices(degrees: Values, side: int) -> Values:
    """Return the matrices a b c d e f of rotations about the centre, shape (n, 6).

    The source of a pixel (x, y) is (a x + b y + c, d x + e y + f).
    """
    angles = -np.radians(degrees % 360.0)
    cosine, sine = np.round(np.cos(angles), 15), np.round(np.sin(angles), 15)
    half = side / 2
    left = cosine * -half + sine * -half + half
    top = -sine * -half + cosine * -half + half
    return np.stack([cosine, sine, left, -sine, cosine, top], axis=1)


def move_along_axis(planes: Tensor, parameters: Tensor, fill: Tensor, interpolation: str) -> Tensor:
    """Return images that are sheared or translated along one axis.

    planes: uint8, shape (n, c, side * side); parameters: float64, see `axis_parameters`.
    fill: uint8, shape (c, 1); interpolation: a key of TAPS.
    """
    side = round(planes.shape[2] ** 0.5)
    across, down = _centres(side, planes.device)
    vertical = parameters[:, :1] == 1
    along, other = torch.where(vertical, down, across), torch.where(vertical, across, down)
    position = along + parameters[:, 1:2] * other + parameters[:, 2:3]
    inside = (position >= 0) & (position < side)
    places, weights = _taps(position, side, interpolation)
    step, start = torch.where(vertical, side, 1), other.long() * torch.where(vertical, 1, side)
    levels = planes.float()
    value = _weighted(levels, [place * step + start for place in places], weights)
    return _filled(value, inside, fill)


def rotate(planes: Tensor, matrices: Tensor, fill: Tensor, interpolation: str) -> Tensor:
    """Return images whose pixels are read at affine positions.

    planes: uint8, shape (n, c, side * side); matrices: float64, see `rotation_matrices`.
    fill: uint8, shape (c, 1); interpolation: a key of TAPS.
    """
    side = round(planes.shape[2] ** 0.5)
    across, down = _centres(side, planes.device)
    a, b, c, d, e, f = matrices[:, :, None].unbind(1)
    x, y = a * across + b * down + c, d * across + e * down + f
    inside = (x >= 0) & (x < side) & (y >= 0) & (y < side)
    columns, weights = _taps(x, side, interpolation)
    rows, row_weights = _taps(y, side, interpolation)
    levels = planes.float()
    value = torch.zeros_like(levels)
    for row, row_weight in zip(rows, row_weights, strict=True):
        start = row * side
        line = _weighted(levels, [start + column for column in columns], weights)
        value += line.mul_(row_weight)
    return _filled(value, inside, fill)


def _taps(position: Tensor, side: int, interpolation: str) -> tuple[list[Tensor], list[Tensor]]:
    """Return the pixels along an axis that a position is made of, shape (n, p), and their weights.

    The weights are float32, of shape (n, 1, p).
    """
    source = position - 0.5
    low = source.floor()
    distance = (source - low).float()[:, None]
    first = low.clamp_(-2, side + 1).long()
    offsets, weights = TAPS[interpolation]
    return [(first + offset).clamp_(0, side - 1) for offset in offsets], weights(distance)


def _weighted(levels: Tensor, places: list[Tensor], weights: list[Tensor]) -> Tensor:
    value = torch.zeros_like(levels)
    for place, weight in zip(places, weights, strict=True):
        value += levels.gather(2, place[:, None].expand_as(levels)).mul_(weight)
    return value


def _filled(value: Tensor, inside: Tensor, fill: Tensor) -> Tensor:
    levels = value.add_(ROUNDING).clamp_(0, 255).to(torch.uint8)
    return torch.where(inside[:, None], levels, fill)


def _bilinear(distance: Tensor) -> list[Tensor]:
    return [1 - distance, distance]


def _bicubic(distance: Tensor) -> list[Tensor]:
    square = distance * distance
    cube = square * distance
    return [
        2 * square - cube - distance,
        cube - 2 * square + 1,
        distance + square - cube,
        cube - square,
    ]


TAPS: dict[str, tuple[tuple[int, ...], Callable[[Tensor], list[Tensor]]]] = {
    "bilinear": ((0, 1), _bilinear),
    "bicubic": ((-1, 0, 1, 2), _bicubic),
}


@lru_cache(maxsize=16)
def _centres(side: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return x and y of the pixel centres, row by row, float64, shape (side * side,)."""
    line = torch.arange(side, dtype=torch.float64, device=device) + 0.5
    return line.repeat(side), line.repeat_interleave(side)
