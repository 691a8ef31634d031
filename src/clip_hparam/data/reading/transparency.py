"""Transparent images on a white background."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from clip_hparam.data.reading.grey_levels import sample_type

BACKGROUND = (255, 255, 255)
PNG_KEY_LEVELS = {"L;2": 85, "L;4": 17}  # 8-bit size of one step of 2 or 4 bits


def to_rgb(image: Image.Image) -> Image.Image:
    """Return a decoded image as RGB; transparent pixels show BACKGROUND."""
    sample = sample_type(image)
    if sample is not None:
        pixels = np.asarray(image)
        grey = Image.fromarray(sample.to_8_bits(pixels)).convert("RGB")
        return _on_background(grey, _opaque(pixels, image.info.get("transparency")))
    if not image.has_transparency_data:
        return image.convert("RGB")
    known = image.convert("LA") if image.mode == "La" else image  # La converts to LA only
    rgba = known.convert("RGBA")
    return _on_background(rgba, rgba.getchannel("A"))


def match_key_to_pixels(image: ImageFile.ImageFile) -> None:
    """Scale the transparent colour of a PNG header as Pillow scales the pixels to 8 bits.

    Of 16-bit colours Pillow keeps the upper byte: all colours that share it with the transparent
    colour become transparent.
    """
    key, raw = image.info.get("transparency"), image.tile[0].args if image.tile else None
    if image.format != "PNG" or key is None:
        return
    if raw == "RGB;16B":
        image.info["transparency"] = tuple(value >> 8 for value in key)
    elif raw in PNG_KEY_LEVELS:
        image.info["transparency"] = key * PNG_KEY_LEVELS[raw]


def _opaque(pixels: NDArray[Any], key: Any) -> Image.Image | None:
    """Return a mask of the pixels that do not have the transparent level; None: all are opaque."""
    return (
        None if key is None else Image.fromarray(np.where(pixels == key, 0, 255).astype(np.uint8))
    )


def _on_background(image: Image.Image, opacity: Image.Image | None) -> Image.Image:
    if opacity is None:
        return image
    background = Image.new("RGB", image.size, BACKGROUND)
    background.paste(image, mask=opacity)
    return background
