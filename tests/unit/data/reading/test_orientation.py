"""A picture is turned as its EXIF or XMP orientation asks, in each container."""

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from support.image_files import COLOUR, exif_of, png_chunk, write_png

from clip_hparam.data.reading.image import read_image

UPRIGHT = np.random.default_rng(0).integers(256, size=(3, 5, 3))
STORED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda upright: upright,
    2: np.fliplr,
    3: lambda upright: np.rot90(upright, 2),
    4: np.flipud,
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: np.rot90(upright, 2).swapaxes(0, 1),
    8: lambda upright: np.rot90(upright, -1),
}
"""The pixels that a file stores so that they are upright after they are turned."""
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="%d"/></x:xmpmeta>'


def read(path: Path, official: bool = False) -> np.ndarray:
    return np.asarray(read_image(path, official))


@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
@pytest.mark.parametrize("orientation", STORED)
def test_each_orientation_is_turned_upright(orientation: int, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"image.{suffix}"
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](UPRIGHT), np.uint8))
    stored.save(path, exif=b"Exif\0\0" + exif_of(orientation), lossless=True)
    np.testing.assert_array_equal(read(path), UPRIGHT)


@pytest.mark.parametrize("orientation", STORED)
def test_jpeg_is_turned_as_pillow_turns_it(orientation: int, tmp_path: Path) -> None:
    path = tmp_path / "image.jpg"
    Image.fromarray(UPRIGHT.astype(np.uint8)).save(path, exif=b"Exif\0\0" + exif_of(orientation))
    with Image.open(path) as image:
        np.testing.assert_array_equal(read(path), np.asarray(ImageOps.exif_transpose(image)))
        np.testing.assert_array_equal(read(path, official=True), np.asarray(image))


LATE = {
    "eXIf": (b"eXIf", exif_of(6)),
    "iTXt": (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP % 6),
    "zTXt": (
        b"zTXt",
        b"Raw profile type exif\0\0"
        + zlib.compress(b"\nexif\n%8d\n" % len(exif_of(6)) + exif_of(6).hex().encode()),
    ),
}


@pytest.mark.parametrize("kind", LATE)
@pytest.mark.parametrize("place", ["before", "after"])
def test_orientation_of_a_png_is_found_before_and_after_its_pixels(
    kind: str, place: str, tmp_path: Path
) -> None:
    chunks = {place: [(b"tEXt", b"date:create\0today"), LATE[kind]]}
    write_png(tmp_path / "image.png", STORED[6](UPRIGHT), COLOUR, 8, **chunks)
    np.testing.assert_array_equal(read(tmp_path / "image.png"), UPRIGHT)


def test_orientation_in_xmp_is_used(tmp_path: Path) -> None:
    stored = Image.fromarray(np.ascontiguousarray(STORED[6](UPRIGHT), np.uint8))
    stored.save(tmp_path / "image.webp", xmp=XMP % 6, lossless=True)
    np.testing.assert_array_equal(read(tmp_path / "image.webp"), UPRIGHT)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_unknown_orientation_turns_nothing(orientation: int, tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    write_png(path, UPRIGHT, COLOUR, 8, [(b"eXIf", exif_of(orientation))])
    np.testing.assert_array_equal(read(path), UPRIGHT)


@pytest.mark.parametrize("exif", [b"", b"MM", b"nonsense that is longer than a header", b"II*\0"])
def test_damaged_exif_turns_nothing(exif: bytes, tmp_path: Path) -> None:
    write_png(tmp_path / "image.png", UPRIGHT, COLOUR, 8, [(b"eXIf", exif)])
    np.testing.assert_array_equal(read(tmp_path / "image.png"), UPRIGHT)


def test_transparent_and_deep_pictures_are_turned(tmp_path: Path) -> None:
    """All rules apply to one file: 16 bits, a transparent level, an orientation."""
    stored = STORED[6](UPRIGHT[..., 0]) * 257
    chunks = [(b"tRNS", int(stored[0, 0]).to_bytes(2, "big")), (b"eXIf", exif_of(6))]
    write_png(tmp_path / "image.png", stored, 0, 16, chunks)
    expected = np.where(UPRIGHT[..., 0] * 257 == stored[0, 0], 255, UPRIGHT[..., 0])
    np.testing.assert_array_equal(read(tmp_path / "image.png")[..., 0], expected)


def test_chunks_are_well_formed() -> None:
    assert png_chunk(b"IEND", b"") == b"\0\0\0\0IEND\xaeB`\x82"
