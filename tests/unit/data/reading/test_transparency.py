"""Transparent pixels are white, whatever colour is stored below them."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.image_files import (
    COLOUR,
    COLOUR_ALPHA,
    GREY,
    GREY_ALPHA,
    PALETTE,
    write_png,
    write_tiff,
)

from clip_hparam.data.reading.image import read_image

HIDDEN = (200, 10, 60)  # colour below transparent pixels
SEEN = (10, 20, 30)
WHITE = [255, 255, 255]


def read(path: Path) -> list[list[int]]:
    """Return the pixels of the first row, as [red, green, blue]."""
    pixels: list[list[int]] = np.asarray(read_image(path))[0].tolist()
    return pixels


@pytest.mark.parametrize("depth", [8, 16])
def test_colour_with_alpha_is_laid_on_white(depth: int, tmp_path: Path) -> None:
    row = np.array([[[*HIDDEN, 0], [*SEEN, 255], [0, 0, 0, 51]]]) * (257 if depth == 16 else 1)
    path = write_png(tmp_path / "image.png", row, COLOUR_ALPHA, depth)
    assert read(path) == [WHITE, list(SEEN), [204, 204, 204]]


@pytest.mark.parametrize("depth", [8, 16])
def test_grey_with_alpha_is_laid_on_white(depth: int, tmp_path: Path) -> None:
    row = np.array([[[7, 0], [7, 255], [0, 51]]]) * (257 if depth == 16 else 1)
    path = write_png(tmp_path / "image.png", row, GREY_ALPHA, depth)
    assert read(path) == [WHITE, [7, 7, 7], [204, 204, 204]]


@pytest.mark.parametrize("opacities", [b"\x00", b"\x00\xff", b"\x00\xff\x33"])
def test_transparent_palette_entries_are_white(opacities: bytes, tmp_path: Path) -> None:
    """One transparent entry is an index for Pillow, several opacities are bytes."""
    chunks = [(b"PLTE", bytes([*HIDDEN, *SEEN, 0, 0, 0])), (b"tRNS", opacities)]
    path = write_png(tmp_path / "image.png", np.array([[0, 1, 2]]), PALETTE, 8, chunks)
    half = [204] * 3 if len(opacities) == 3 else [0] * 3
    assert read(path) == [WHITE, list(SEEN), half]


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_transparent_grey_level_is_white(depth: int, tmp_path: Path) -> None:
    top = 2**depth - 1
    chunks = [(b"tRNS", struct.pack(">H", top))]
    path = write_png(tmp_path / "image.png", np.array([[top, 0]]), GREY, depth, chunks)
    assert read(path) == [WHITE, [0, 0, 0]]
    chunks = [(b"tRNS", struct.pack(">H", 0))]
    path = write_png(tmp_path / "image.png", np.array([[top, 0]]), GREY, depth, chunks)
    assert read(path) == [WHITE, WHITE]


def test_only_the_transparent_level_of_few_bits_is_white(tmp_path: Path) -> None:
    chunks = [(b"tRNS", struct.pack(">H", 1))]
    path = write_png(tmp_path / "image.png", np.array([[0, 1, 2, 3]]), GREY, 2, chunks)
    assert read(path) == [[0, 0, 0], WHITE, [170, 170, 170], WHITE]
    path = write_png(tmp_path / "image.png", np.array([[0, 1, 2, 15]]), GREY, 4, chunks)
    assert read(path) == [[0, 0, 0], WHITE, [34, 34, 34], WHITE]


@pytest.mark.parametrize("depth", [8, 16])
def test_transparent_colour_is_white(depth: int, tmp_path: Path) -> None:
    scale = 257 if depth == 16 else 1
    chunks = [(b"tRNS", struct.pack(">HHH", *(value * scale for value in HIDDEN)))]
    row = np.array([[HIDDEN, SEEN]]) * scale
    path = write_png(tmp_path / "image.png", row, COLOUR, depth, chunks)
    assert read(path) == [WHITE, list(SEEN)]


@pytest.mark.parametrize("extra_sample", [1, 2])
@pytest.mark.parametrize("deflate", [False, True])
def test_alpha_of_tiff_is_laid_on_white(deflate: bool, extra_sample: int, tmp_path: Path) -> None:
    """TIFF stores colours multiplied by alpha (1) or as they are (2)."""
    clear = [0, 0, 0] if extra_sample == 1 else HIDDEN
    row = np.array([[[*clear, 0], [*SEEN, 255]]], np.uint8)
    layout = {"photometric": 2, "extra_sample": extra_sample, "deflate": deflate}
    path = write_tiff(tmp_path / "image.tif", row, 8, **layout)
    assert read(path) == [WHITE, list(SEEN)]
    layout["photometric"] = 1
    path = write_tiff(tmp_path / "grey.tif", row[..., 2:], 8, **layout)
    assert read(path) == [WHITE, [30, 30, 30]]


@pytest.mark.parametrize("suffix", ["webp", "gif"])
def test_alpha_of_webp_and_gif_is_laid_on_white(suffix: str, tmp_path: Path) -> None:
    row = np.array([[[*HIDDEN, 0], [*SEEN, 255]]], np.uint8)
    Image.fromarray(row).save(tmp_path / f"image.{suffix}", lossless=True)
    assert read(tmp_path / f"image.{suffix}") == [WHITE, list(SEEN)]


def test_palette_with_alpha_channel_is_laid_on_white(tmp_path: Path) -> None:
    image = Image.new("PA", (2, 1))
    image.putpalette([*HIDDEN, *SEEN])
    image.putdata([(0, 0), (1, 255)])
    image.save(tmp_path / "image.tif")
    assert read(tmp_path / "image.tif") == [WHITE, list(SEEN)]


def test_opaque_alpha_changes_no_pixel(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(256, size=(9, 9, 4))
    pixels[..., 3] = 255
    path = write_png(tmp_path / "image.png", pixels, COLOUR_ALPHA, 8)
    np.testing.assert_array_equal(np.asarray(read_image(path)), pixels[..., :3])
