"""Glyph images for the pre-training of tiny CLIP, drawn with the fonts that matplotlib installs.

A glyph is a function of (seed, index, faces). It is drawn large, warped (size, aspect, rotation,
slant, elastic), reduced to 32 px, coloured and made noisy. Half of the glyphs are first reduced to
8 px, as scanned digits are.
"""

from dataclasses import dataclass
from functools import cache
from itertools import permutations
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from clip_hparam.model.tiny_clip.captions import (
    CHARACTERS,
    FOCUSES,
    INKS,
    SLANTS,
    STROKE_WEIGHTS,
    GlyphStyle,
)
from clip_hparam.model.tiny_clip.typefaces import TRAIN_FACES, Face

GLYPH_SIZE = 32  # side of a glyph, px
CANVAS_SIZE = 96  # side while drawing and warping, px
CAP_HEIGHT = 60  # height of an upright capital on the canvas, px
WARP_CELLS = 4  # cells along a side; the warp is bilinear in each cell
MIN_CONTRAST = 70  # between ink and ground, grey levels


@dataclass(frozen=True)
class Glyph:
    """An image, uint8, shape (32, 32, 3), and the facts that its captions mention."""

    image: NDArray[np.uint8]
    character: str
    style: GlyphStyle
    face: Face


def render_glyph(seed: int, index: int, faces: tuple[Face, ...] = TRAIN_FACES) -> Glyph:
    """Render the glyph at an index of an endless sequence; its character is the index modulo 62."""
    rng = np.random.default_rng((seed, index))
    character = CHARACTERS[index % len(CHARACTERS)]
    face = faces[rng.integers(len(faces))]
    scanned = bool(rng.random() < 0.5)
    stroke = int(rng.integers(-1, 7)) + 2 * scanned
    slant = float(rng.uniform(-0.35, 0.35))
    ink, ground = sample_colours(rng)
    weight = STROKE_WEIGHTS[int(np.clip((stroke + 4 * face.bold + 2) // 3, 0, 2))]
    leaning = face.slanted or abs(slant) > 0.15
    style = GlyphStyle(weight, SLANTS[leaning], FOCUSES[scanned], ink, ground)
    mask = warp_mask(render_mask(face, character, stroke), slant, scanned, rng)
    return Glyph(_colourise(_downsample(mask, scanned, rng), style, rng), character, style, face)


@cache
def _load_font(file: str, alphabet: tuple[int, int, int]) -> ImageFont.FreeTypeFont:
    """Return the font at the size at which its capital H is CAP_HEIGHT high."""
    path = str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{file}.ttf")
    basic = ImageFont.Layout.BASIC
    _, top, _, bottom = ImageFont.truetype(path, 100, layout_engine=basic).getbbox(
        chr(alphabet[0] + 7)
    )
    return ImageFont.truetype(path, 100 * CAP_HEIGHT / (bottom - top), layout_engine=basic)


def render_mask(face: Face, character: str, stroke: int) -> Image.Image:
    """Render the centred ink coverage on the canvas.

    stroke: thickening in px; -1 makes the glyph thinner.
    """
    text, font, width = (
        face.glyph(character),
        _load_font(face.file, face.alphabet),
        max(stroke, 0) / 2,
    )
    left, top, right, bottom = font.getbbox(text, stroke_width=width)
    side = int(max(right - left, bottom - top, CANVAS_SIZE))
    mask = Image.new("L", (side, side))
    at = ((side - right - left) / 2, (side - bottom - top) / 2)
    ImageDraw.Draw(mask).text(at, text, fill=255, font=font, stroke_width=width)
    if side > CANVAS_SIZE:
        mask = mask.resize((CANVAS_SIZE, CANVAS_SIZE), Image.Resampling.BILINEAR)
    return mask.filter(ImageFilter.MinFilter(3)) if stroke < 0 else mask


def warp_mask(
    mask: Image.Image, slant: float, scanned: bool, rng: np.random.Generator
) -> Image.Image:
    """Warp the canvas by moving the corners of its cells.

    The warp combines size, aspect, rotation, slant, position and elastic noise. A scanned glyph
    fills the canvas; the others have a margin.
    """
    low, high = (0.78, 1.0) if scanned else (0.6, 0.95)
    height = rng.uniform(low, high) * CANVAS_SIZE / CAP_HEIGHT
    width = height * rng.uniform(0.65, 1.1)
    angle = rng.uniform(-0.22, 0.22)
    grid = np.stack(np.meshgrid(*[np.linspace(-0.5, 0.5, WARP_CELLS + 1)] * 2), -1) * CANVAS_SIZE
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1.0, 0.0], [slant, 1.0]])
    elastic = rng.normal(0, rng.uniform(0, 5), grid.shape)
    place = rng.normal(0, 2.5, 2)
    corners = grid @ turn @ shear / (width, height) + elastic + place + CANVAS_SIZE / 2
    return mask.transform(
        mask.size, Image.Transform.MESH, _warp_mesh(corners), Image.Resampling.BILINEAR
    )


def _warp_mesh(
    corners: NDArray[np.float64],
) -> list[tuple[tuple[int, int, int, int], tuple[float, ...]]]:
    """Return Pillow's mesh: target boxes, each with its source corners nw, sw, se, ne.

    corners: px, shape (WARP_CELLS + 1, WARP_CELLS + 1, 2), the last axis is (x, y).
    """
    step = CANVAS_SIZE // WARP_CELLS
    cells = [(row, column) for row in range(WARP_CELLS) for column in range(WARP_CELLS)]
    around = ((0, 0), (1, 0), (1, 1), (0, 1))
    return [
        (
            (column * step, row * step, (column + 1) * step, (row + 1) * step),
            tuple(float(x) for i, j in around for x in corners[row + i, column + j]),
        )
        for row, column in cells
    ]


def _downsample(mask: Image.Image, scanned: bool, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the coverage in [0, 1], shape (32, 32): via 8 px for a scan, else slightly blurred."""
    if scanned:
        up = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)[rng.integers(2)]
        reduced = mask.resize((8, 8), Image.Resampling.BOX).resize((GLYPH_SIZE, GLYPH_SIZE), up)
    else:
        blurred = mask.filter(ImageFilter.GaussianBlur(rng.uniform(0, 2.5)))
        reduced = blurred.resize((GLYPH_SIZE, GLYPH_SIZE), Image.Resampling.BOX)
    return np.asarray(reduced, np.float64) / 255


def sample_colours(rng: np.random.Generator) -> tuple[str, str]:
    """Draw ink and ground: white on black with probability 0.4, else a pair of enough contrast."""
    if rng.random() < 0.4:
        return "white", "black"
    luma = {name: float(np.dot(rgb, (0.299, 0.587, 0.114))) for name, rgb in INKS.items()}
    pairs = [
        (ink, ground)
        for ink, ground in permutations(INKS, 2)
        if abs(luma[ink] - luma[ground]) > MIN_CONTRAST
    ]
    return pairs[rng.integers(len(pairs))]


def _colourise(
    coverage: NDArray[np.float64], style: GlyphStyle, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return the glyph in slightly varied colours with pixel noise, uint8, shape (32, 32, 3)."""
    ink, ground = (
        np.array(INKS[name]) + rng.normal(0, 12, 3) for name in (style.ink, style.ground)
    )
    image = ground + (ink - ground) * coverage[..., None] * rng.uniform(0.75, 1.0)
    noisy = image + rng.normal(0, rng.uniform(0, 12), image.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)
