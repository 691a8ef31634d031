"""Corruptions of small images at five severities.

Source: kinds and levels of CIFAR-10-C, Hendrycks and Dietterich, "Benchmarking neural network
robustness to common corruptions and perturbations", 2019.
"""

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from clip_hparam.data.dataset import ImageArray

Unit = NDArray[np.float64]
"""An image in [0, 1], shape (height, width, 3)."""
Corrupt = Callable[[Unit, float, np.random.Generator], Unit]


def _gaussian_noise(image: Unit, level: float, rng: np.random.Generator) -> Unit:
    return image + rng.normal(0, level, image.shape)


def _shot_noise(image: Unit, level: float, rng: np.random.Generator) -> Unit:
    return rng.poisson(image * level) / level


def _impulse_noise(image: Unit, level: float, rng: np.random.Generator) -> Unit:
    draws = rng.random(image.shape)
    return np.where(draws < level / 2, 0.0, np.where(draws < level, 1.0, image))


def _blur(image: Unit, level: float, rng: np.random.Generator) -> Unit:
    return _from_pil(_to_pil(image).filter(ImageFilter.GaussianBlur(level)))


def _brightness(image: Unit, level: float, rng: np.random.Generator) -> Unit:
    return image + level


def _contrast(image: Unit, level: float, rng: np.random.Generator) -> Unit:
    mean: Unit = image.mean(axis=(0, 1), keepdims=True)
    changed: Unit = (image - mean) * level + mean
    return changed


def _pixelate(image: Unit, level: float, rng: np.random.Generator) -> Unit:
    picture = _to_pil(image)
    width, height = (max(1, int(side * level)) for side in picture.size)
    reduced = picture.resize((width, height), Image.Resampling.BOX)
    return _from_pil(reduced.resize(picture.size, Image.Resampling.BOX))


def _jpeg(image: Unit, level: float, rng: np.random.Generator) -> Unit:
    buffer = io.BytesIO()
    _to_pil(image).save(buffer, "JPEG", quality=int(level))
    return _from_pil(Image.open(buffer))


KINDS: dict[str, tuple[Corrupt, tuple[float, ...]]] = {
    "gaussian_noise": (_gaussian_noise, (0.04, 0.06, 0.08, 0.09, 0.10)),
    "shot_noise": (_shot_noise, (500, 250, 100, 75, 50)),
    "impulse_noise": (_impulse_noise, (0.01, 0.02, 0.03, 0.05, 0.07)),
    "gaussian_blur": (_blur, (0.4, 0.6, 0.7, 0.8, 1.0)),
    "brightness": (_brightness, (0.05, 0.1, 0.15, 0.2, 0.3)),
    "contrast": (_contrast, (0.75, 0.5, 0.4, 0.3, 0.15)),
    "pixelate": (_pixelate, (0.95, 0.9, 0.85, 0.75, 0.65)),
    "jpeg": (_jpeg, (80, 65, 58, 50, 40)),
}
"""Functions and their levels at the five severities."""


def corrupt(image: ImageArray, kind: str, severity: int, rng: np.random.Generator) -> ImageArray:
    """Return a corrupted image, uint8, shape (3, height, width); of shape (1 or 3, ...)."""
    function, levels = KINDS[kind]
    channels = np.broadcast_to(image, (3, *image.shape[1:])).transpose(1, 2, 0) / 255
    changed = function(channels, levels[severity - 1], rng)
    return np.rint(np.clip(changed, 0, 1) * 255).astype(np.uint8).transpose(2, 0, 1)


def _to_pil(image: Unit) -> Image.Image:
    return Image.fromarray(np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8))


def _from_pil(image: Image.Image) -> Unit:
    return np.asarray(image, np.float64) / 255
