"""Pairs of glyphs and captions that tiny CLIP is pre-trained on, and their augmentation."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from clip_hparam.model.tiny_clip import glyphs
from clip_hparam.model.tiny_clip import model as tiny_clip
from clip_hparam.model.tiny_clip.captions import CHARACTERS, captions, tokenize
from clip_hparam.model.tiny_clip.typefaces import TRAIN_FACES, Face

BATCH_SIZE = 256


@dataclass(frozen=True)
class ImageTextPairs:
    """Glyphs with their captions.

    images: uint8, shape (n, 3, 32, 32).
    tokens: uint8, shape (n, captions, CONTEXT_LENGTH).
    classes: int64, shape (n,), indices into CHARACTERS.
    """

    images: Tensor
    tokens: Tensor
    classes: Tensor


def render_pairs(seed: int, count: int, faces: tuple[Face, ...] = TRAIN_FACES) -> ImageTextPairs:
    """Render the first `count` glyphs of a seed with all their captions, 1 ms each."""
    images = np.empty((count, glyphs.GLYPH_SIZE, glyphs.GLYPH_SIZE, 3), np.uint8)
    tokens = []
    for index in range(count):
        glyph = glyphs.render_glyph(seed, index, faces)
        images[index] = glyph.image
        tokens.append([tokenize(text) for text in captions(glyph.character, glyph.style)])
    return ImageTextPairs(
        torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(),
        torch.from_numpy(np.array(tokens, np.uint8)),
        torch.arange(count) % len(CHARACTERS),
    )


def sample_batches(
    pairs: ImageTextPairs, steps: int, random: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches of augmented, normalised images and tokens of one caption for each.

    Images are float32, shape (b, 3, 32, 32), tokens int64, shape (b, CONTEXT_LENGTH).
    """
    count, phrasings, _ = pairs.tokens.shape
    for _ in range(steps):
        index = torch.randint(count, (BATCH_SIZE,), generator=random)
        phrasing = torch.randint(phrasings, (BATCH_SIZE,), generator=random)
        images = augment(pairs.images[index].float() / 255, random)
        yield tiny_clip.normalize(images), pairs.tokens[index, phrasing].long()


def augment(images: Tensor, random: torch.Generator) -> Tensor:
    """Return images, each slightly rotated, scaled, shifted (up to 1.5 px) and made noisy.

    images: float32 in [0, 1], shape (b, 3, h, w), as the result.
    """
    count = len(images)
    angle, scale, across, down, noise = torch.rand(5, count, generator=random) * 2 - 1
    turn, size = angle * 0.12, 1 + scale * 0.08
    cos, sin, reach = turn.cos() * size, turn.sin() * size, 1.5 * 2 / glyphs.GLYPH_SIZE
    rows = (cos, -sin, across * reach, sin, cos, down * reach)
    grid = F.affine_grid(torch.stack(rows, 1).view(count, 2, 3), list(images.shape), False)
    moved = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    spread = noise.abs().view(-1, 1, 1, 1) * 0.05
    noisy: Tensor = moved + spread * torch.randn(images.shape, generator=random)
    return noisy.clamp(0, 1)
