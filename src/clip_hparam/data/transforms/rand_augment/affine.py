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
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from clip_hparam.data.transforms.rand_augment.operations import Kind, Values

ROUNDING = 2**-10  # added before levels are truncated: larger than the error of float32


def shifts(kinds: NDArray[np.int64], arguments: Values, side: int) -> Values:
    """Return the shift of each line of sheared or translated images in px, shape (n, side).

    A line is a row for SHEAR_X and TRANSLATE_X and a column for the others.
    """
    shears = np.isin(kinds, (Kind.SHEAR_X, Kind.SHEAR_Y))[:, None]
    argument = arguments[:, None]
    return np.where(shears, argument * (np.arange(side) + 0.5), argument * side)


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


def shift_rows(planes: Tensor, shift: Tensor, fill: Tensor, interpolation: str) -> Tensor:
    """Return images whose rows are read `shift` px to the right.

    planes: uint8, shape (n, c, side, side); shift: float64, shape (n, side).
    fill: uint8, shape (c, 1); interpolation: a key of TAPS.
    All pixels of a row have the same weights: the row is filtered, and then moved by whole px.
    """
    side = planes.shape[3]
    whole = shift.floor()
    distance = (shift - whole).float()[:, None, :, None]
    offsets, weights = TAPS[interpolation]
    padded = torch.cat([*[planes[..., :1]] * 2, planes, *[planes[..., -1:]] * 2], dim=3).float()
    filtered = torch.zeros((*planes.shape[:3], side + 1), device=planes.device)
    for offset, weight in zip(offsets, weights(distance), strict=True):
        filtered += padded[..., offset + 1 : offset + 2 + side] * weight
    levels = _truncated(filtered)
    outside = fill[:, None].expand(*planes.shape[:3], 1)
    late = distance >= 0.5  # pixel -1 is inside of the source, and the last pixel is not
    first = torch.where(late, levels[..., :1], outside)
    last = torch.where(late, outside, levels[..., -1:])
    table = torch.cat([outside, first, levels[..., 1:-1], last, outside], dim=3)
    start = whole.clamp_(-side - 2, side + 2).long()[:, None, :, None] + 2
    place = (torch.arange(side, device=planes.device) + start).clamp_(0, side + 2)
    return table.gather(3, place.expand_as(planes))


def rotate(planes: Tensor, matrices: Tensor, fill: Tensor, interpolation: str) -> Tensor:
    """Return images whose pixels are read at affine positions.

    planes: uint8, shape (n, c, side, side); matrices: float64, see `rotation_matrices`.
    fill: uint8, shape (c, 1); interpolation: a key of TAPS.
    """
    count, channels, side, _ = planes.shape
    across, down = _centres(side, planes.device)
    a, b, c, d, e, f = matrices[:, :, None].unbind(1)
    x, y = a * across + b * down + c, d * across + e * down + f
    inside = (x >= 0) & (x < side) & (y >= 0) & (y < side)
    column, column_weights = _taps(x, side, interpolation)
    row, row_weights = _taps(y, side, interpolation)
    image = torch.arange(0, count * side, side, device=planes.device)[:, None]
    rows = [(row + offset).clamp_(0, side - 1) + image for offset in TAPS[interpolation][0]]
    places = torch.stack([at * (side + 1) + column + 1 for at in rows], dim=-1)
    lines = _weighted_sums(places, _windows(planes, interpolation), row_weights)
    every = torch.arange(row_weights.numel(), device=planes.device).view(row_weights.shape)
    value = _weighted_sums(every, lines.view(-1, channels), column_weights)
    levels = _truncated(value).view(count, side * side, channels)
    moved = torch.where(inside[..., None], levels, fill[:, 0])
    return moved.permute(0, 2, 1).reshape(planes.shape)


def _taps(position: Tensor, side: int, interpolation: str) -> tuple[Tensor, Tensor]:
    """Return the pixel below each position along an axis, and the weights of the taps around it.

    The pixels are int64, shape (n, p), from -1 to side - 1; the weights float32, (n, p, taps).
    """
    source = position - 0.5
    low = source.floor()
    weights = TAPS[interpolation][1]((source - low).float())
    return low.clamp_(-1, side - 1).long(), torch.stack(weights, dim=-1)


def _windows(planes: Tensor, interpolation: str) -> Tensor:
    """Return the taps in a row around each pixel from -1 to side - 1, all channels of each.

    The result is float32, shape (n * side * (side + 1), taps * c).
    """
    channels, side = planes.shape[1:3]
    offsets = TAPS[interpolation][0]
    colours = planes.permute(0, 2, 3, 1).float()
    before, after = (line.expand(-1, -1, 2, -1) for line in (colours[:, :, :1], colours[:, :, -1:]))
    padded = torch.cat([before, colours, after], dim=2)[
        :, :, 1 + offsets[0] : side + 2 + offsets[-1]
    ]
    width = len(offsets) * channels
    return padded.flatten(2).unfold(2, width, channels).reshape(-1, width)


def _weighted_sums(places: Tensor, table: Tensor, weights: Tensor) -> Tensor:
    """Return sums of rows of a table; places and weights have the shape (n, p, taps)."""
    return F.embedding_bag(
        places.flatten(0, 1), table, mode="sum", per_sample_weights=weights.flatten(0, 1)
    )


def _truncated(value: Tensor) -> Tensor:
    return value.add_(ROUNDING).clamp_(0, 255).to(torch.uint8)


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
