"""Apply drawn operations to a batch: all planes with the same operation at a time.

A plane is a channel of an image, shape (pixels,). The draws are on the host, so that the planes of
an operation are known without waiting for the device.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clip_hparam.data.device import to_device
from clip_hparam.data.transforms.rand_augment.affine import (
    rotate,
    rotation_matrices,
    shift_rows,
    shifts,
)
from clip_hparam.data.transforms.rand_augment.blending import blend, grey_levels
from clip_hparam.data.transforms.rand_augment.draws import Kinds
from clip_hparam.data.transforms.rand_augment.neighbours import box_weights, gaussian_blur, sharpen
from clip_hparam.data.transforms.rand_augment.operations import Kind, Values
from clip_hparam.data.transforms.rand_augment.tables import (
    auto_contrast_tables,
    blend_tables,
    equalize_tables,
    fixed_rows,
    fixed_tables,
    rounded_means,
)

CHANNELS = 3
MOVES = (
    (Kind.SHEAR_X, Kind.TRANSLATE_X),
    (Kind.SHEAR_Y, Kind.TRANSLATE_Y),
    (Kind.ROTATE, Kind.ROTATE),
)
"""Ranges of movements that run as one operation: along rows, along columns, around the centre."""


def apply_operations(
    images: Tensor, kinds: Kinds, arguments: Values, fill: tuple[int, ...], interpolation: str
) -> Tensor:
    """Return images after their operations, uint8, shape (b, 3, r, r).

    images: uint8, shape (b, 1 or 3, r, r), on any device; kinds, arguments: see
    `draws.sample_operations`; fill: the level of each channel outside a moved image.
    A grey image stays a single plane unless an operation moves it, because the fill has a colour.
    """
    batch, channels, side = images.shape[:3]
    moved = np.max(kinds, axis=1, initial=Kind.NONE) >= Kind.SHEAR_X
    coloured: NDArray[np.bool_] = np.full(batch, channels == CHANNELS) | moved
    count = np.where(coloured, CHANNELS, 1)
    image = np.repeat(np.arange(batch), count)
    planes = images.reshape(-1, side * side)
    planes = planes.clone() if channels == CHANNELS else planes[_to_device(image, images.device)]
    for layer in range(kinds.shape[1]):
        sorted_layer = _sort(kinds[image, layer], arguments[image, layer], coloured[image])
        if len(sorted_layer.places):
            _apply_layer(planes, sorted_layer, fill, interpolation)
    if channels != CHANNELS:
        first = np.cumsum(count) - count
        shown = first[:, None] + np.arange(CHANNELS) * coloured[:, None]
        planes = planes[_to_device(shown.ravel(), images.device)]
    return planes.view(batch, CHANNELS, side, side)


def _to_device(array: NDArray[Any], device: torch.device) -> Tensor:
    return to_device(torch.from_numpy(array), device)


@dataclass(frozen=True)
class _SortedLayer:
    """The planes that an operation changes, sorted by operation, grey images before coloured ones.

    places: index of each plane; bounds[2 * kind] is where a kind begins, and bounds[2 * kind + 1]
    where its coloured images begin.
    """

    places: NDArray[np.int64]
    kinds: NDArray[np.int64]
    arguments: Values
    bounds: list[int]

    def rows(self, first: Kind, last: Kind) -> slice:
        """Return the rows of a range of kinds."""
        return slice(self.bounds[2 * first], self.bounds[2 * last + 2])


def _sort(kinds: NDArray[np.int64], arguments: Values, coloured: NDArray[np.bool_]) -> _SortedLayer:
    key = 2 * kinds + coloured
    key[(kinds == Kind.COLOR) & ~coloured] = Kind.NONE  # grey stays grey
    places = np.argsort(key, kind="stable")
    bounds = np.searchsorted(key[places], np.arange(2 * len(Kind) - 1))
    places = places[bounds[0] :]
    shifted = (bounds - bounds[0]).tolist()
    return _SortedLayer(places, kinds[places], arguments[places], shifted)


def _apply_layer(
    planes: Tensor, layer: _SortedLayer, fill: tuple[int, ...], interpolation: str
) -> None:
    """Replace the planes of a layer, uint8, shape (p, pixels), in place."""
    places = _to_device(layer.places, planes.device)
    picked = planes[places]
    factors = _to_device(layer.arguments.astype(np.float32), planes.device)
    _apply_tables(picked, layer, factors)
    _apply_filters(picked, layer, factors)
    _move(picked, layer, fill, interpolation)
    planes.index_copy_(0, places, picked)


def _apply_tables(picked: Tensor, layer: _SortedLayer, factors: Tensor) -> None:
    rows = layer.rows(Kind.AUTO_CONTRAST, Kind.SOLARIZE_ADD)
    if rows.start == rows.stop:
        return
    tables = []
    stretched = layer.rows(Kind.AUTO_CONTRAST, Kind.AUTO_CONTRAST)
    if stretched.start < stretched.stop:
        tables.append(auto_contrast_tables(picked[stretched]))
    flattened = layer.rows(Kind.EQUALIZE, Kind.EQUALIZE)
    if flattened.start < flattened.stop:
        tables.append(equalize_tables(picked[flattened]))
    contrasted = layer.rows(Kind.CONTRAST, Kind.CONTRAST)
    brightened = layer.rows(Kind.BRIGHTNESS, Kind.BRIGHTNESS)
    blended = slice(contrasted.start, brightened.stop)
    if blended.start < blended.stop:
        means = _mean_greys(picked, contrasted, layer.bounds[2 * Kind.CONTRAST + 1])
        black = torch.zeros(brightened.stop - brightened.start, device=picked.device)
        tables.append(blend_tables(torch.cat([means, black]), factors[blended]))
    fixed = layer.rows(Kind.INVERT, Kind.SOLARIZE_ADD)
    if fixed.start < fixed.stop:
        chosen = fixed_rows(layer.kinds[fixed], layer.arguments[fixed])
        tables.append(fixed_tables(picked.device)[_to_device(chosen, picked.device)])
    levels = picked[rows]
    torch.gather(torch.cat(tables), 1, levels.long(), out=levels)


def _mean_greys(picked: Tensor, rows: slice, coloured: int) -> Tensor:
    """Return the mean grey of the image of each plane in `rows`; from `coloured` on, of triples."""
    grey = rounded_means(picked[rows.start : coloured].long())
    triples = picked[coloured : rows.stop].view(-1, CHANNELS, picked.shape[1])
    colour = rounded_means(grey_levels(triples))
    return torch.cat([grey, colour.repeat_interleave(CHANNELS)])


def _apply_filters(picked: Tensor, layer: _SortedLayer, factors: Tensor) -> None:
    pixels = picked.shape[1]
    side = round(pixels**0.5)
    rows = layer.rows(Kind.COLOR, Kind.COLOR)
    if rows.start < rows.stop:
        triples = picked[rows].view(-1, CHANNELS, pixels)
        grey = grey_levels(triples)[:, None].float()
        factor = factors[rows].view(-1, CHANNELS, 1)
        picked[rows] = blend(grey, triples.float(), factor).view(-1, pixels)
    rows = layer.rows(Kind.SHARPNESS, Kind.SHARPNESS)
    if rows.start < rows.stop:
        sharp = sharpen(picked[rows].view(-1, side, side), factors[rows])
        picked[rows] = sharp.view(-1, pixels)
    rows = layer.rows(Kind.GAUSSIAN_BLUR, Kind.GAUSSIAN_BLUR)
    if rows.start < rows.stop:
        weights = _to_device(box_weights(layer.arguments[rows]), picked.device)
        picked[rows] = gaussian_blur(picked[rows].view(-1, side, side), weights).view(-1, pixels)


def _move(picked: Tensor, layer: _SortedLayer, fill: tuple[int, ...], interpolation: str) -> None:
    side = round(picked.shape[1] ** 0.5)
    images = picked.view(-1, side, side)
    outside = _to_device(np.array(fill, np.uint8)[:, None], picked.device)
    for first, last in MOVES:
        rows = layer.rows(first, last)
        if rows.start == rows.stop:
            continue
        own = slice(rows.start, rows.stop, CHANNELS)
        moving = images[rows].view(-1, CHANNELS, side, side)
        if first == Kind.SHEAR_Y:
            moving = moving.transpose(2, 3)
        if first == Kind.ROTATE:
            matrices = _to_device(rotation_matrices(layer.arguments[own], side), picked.device)
            moving.copy_(rotate(moving, matrices, outside, interpolation))
        else:
            shift = _to_device(shifts(layer.kinds[own], layer.arguments[own], side), picked.device)
            moving.copy_(shift_rows(moving, shift, outside, interpolation))
