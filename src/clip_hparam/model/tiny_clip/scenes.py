"""Characters "in the wild": glyphs of 64 px under gradients, lines and noise.

A scene is a function of (seed, index, faces), as a glyph is. It is drawn and warped like a glyph,
and then shown on a linear colour gradient, crossed by up to two lines and made noisy. Details are
above 32 px, so that a higher resolution shows more of it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from clip_hparam.model.tiny_clip.captions import FOCUSES, INKS, SLANTS, STROKE_WEIGHTS, GlyphStyle
from clip_hparam.model.tiny_clip.glyphs import (
    CANVAS_SIZE,
    Glyph,
    render_mask,
    sample_colours,
    warp_mask,
)
from clip_hparam.model.tiny_clip.typefaces import Face

SCENE_SIZE = 64  # side of a scene, px
MAX_BLUR = 2.0  # sd of the Gaussian blur, px of the scene
MAX_LINES, MAX_LINE_WIDTH = 2, 4  # px of the scene
GRADIENT_SD = 12.0  # grey levels by which a colour changes from edge to edge
COLOUR_SD = 12.0  # spread of a colour around its name, grey levels
MAX_NOISE_SD = 8.0  # noise of each pixel, grey levels
BLURRED_FROM = 1.2  # px of blur from which a caption calls the scene blurred


def render_scene(seed: int, index: int, characters: Sequence[str], faces: Sequence[Face]) -> Glyph:
    """Render the scene at an index of an endless sequence; image: uint8, shape (64, 64, 3).

    Its character is `characters` at the index modulo their number.
    """
    rng = np.random.default_rng((seed, index))
    character = characters[index % len(characters)]
    face = faces[int(rng.integers(len(faces)))]
    stroke, slant = int(rng.integers(-1, 7)), float(rng.uniform(-0.35, 0.35))
    ink, ground = sample_colours(rng)
    blur = float(rng.uniform(0, MAX_BLUR))
    weight = STROKE_WEIGHTS[int(np.clip((stroke + 4 * face.bold + 2) // 3, 0, 2))]
    leaning = SLANTS[face.slanted or abs(slant) > 0.15]
    style = GlyphStyle(weight, leaning, FOCUSES[blur >= BLURRED_FROM], ink, ground)
    mask = warp_mask(render_mask(face, character, stroke), slant, scanned=False, rng=rng)
    image = _cross_with_lines(_colourise(_reduce(mask, blur), style, rng), rng)
    noise = rng.normal(0, rng.uniform(0, MAX_NOISE_SD), image.shape)
    return Glyph(np.clip(image + noise, 0, 255).astype(np.uint8), character, style, face)


def _reduce(mask: Image.Image, blur: float) -> NDArray[np.float64]:
    """Return the blurred coverage in [0, 1], shape (64, 64)."""
    blurred = mask.filter(ImageFilter.GaussianBlur(blur * CANVAS_SIZE / SCENE_SIZE))
    small = blurred.resize((SCENE_SIZE, SCENE_SIZE), Image.Resampling.BILINEAR)
    return np.asarray(small, np.float64) / 255


def _colourise(
    coverage: NDArray[np.float64], style: GlyphStyle, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the glyph on its ground in grey levels; a linear gradient is added to both."""
    ink, ground = (
        np.array(INKS[name]) + rng.normal(0, COLOUR_SD, 3) for name in (style.ink, style.ground)
    )
    image = ground + (ink - ground) * coverage[..., None] * rng.uniform(0.75, 1.0)
    slopes = rng.normal(0, GRADIENT_SD, (2, 3))
    ramp = np.linspace(-0.5, 0.5, SCENE_SIZE)
    gradient = ramp[:, None, None] * slopes[0] + ramp[None, :, None] * slopes[1]
    result: NDArray[np.float64] = image + gradient
    return result


def _cross_with_lines(image: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw up to MAX_LINES straight lines from edge to edge in random colours."""
    canvas = Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(canvas)
    for _ in range(rng.integers(MAX_LINES + 1)):
        start, end = rng.uniform(0, SCENE_SIZE, 2)
        across = bool(rng.integers(2))
        ends = ((0, start), (SCENE_SIZE, end)) if across else ((start, 0), (end, SCENE_SIZE))
        colour = tuple(int(level) for level in rng.integers(0, 256, 3))
        draw.line(ends, fill=colour, width=int(rng.integers(1, MAX_LINE_WIDTH + 1)))
    return np.asarray(canvas, np.float64)
