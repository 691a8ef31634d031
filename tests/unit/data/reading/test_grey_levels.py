"""Grey of any depth, sign, byte order and container is scaled by the range of its type."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.image_files import GREY, Levels, write_pgm, write_png, write_tiff

from clip_hparam.data.reading.errors import UnreadableImageError
from clip_hparam.data.reading.grey_levels import SampleType
from clip_hparam.data.reading.image import read_image

RAMP = np.arange(256).reshape(16, 16)
Writer = Callable[[Path], Path]

DEEP: dict[str, Writer] = {
    "png 16": lambda path: write_png(path, RAMP * 257, GREY, 16),
    "pgm 16": lambda path: write_pgm(path, RAMP * 257, 65535),
    "pgm 16, plain": lambda path: write_pgm(path, RAMP * 257, 65535, plain=True),
    "pgm 12": lambda path: write_pgm(path, np.rint(RAMP * (4095 / 255)).astype(int), 4095),
    "pgm 10, plain": lambda path: write_pgm(
        path, np.rint(RAMP * (1023 / 255)).astype(int), 1023, plain=True
    ),
    "tiff 12": lambda path: write_tiff(path, np.rint(RAMP * (4095 / 255)).astype(int), 12),
    "tiff 16, white is zero": lambda path: write_tiff(
        path, ((255 - RAMP) * 257).astype("u2"), 16, photometric=0
    ),
    "tiff 32, unsigned": lambda path: write_tiff(path, (RAMP * 16843009).astype("u4"), 32),
}
for order in (False, True):
    for packed in (False, True):
        name = f"{'big' if order else 'little'}-endian{', deflate' if packed else ''}"
        layout = {"big_endian": order, "deflate": packed}
        DEEP[f"tiff 16, {name}"] = lambda path, layout=layout: write_tiff(
            path, (RAMP * 257).astype("u2"), 16, **layout
        )
        DEEP[f"tiff signed 16, {name}"] = lambda path, layout=layout: write_tiff(
            path, (RAMP * 257 - 2**15).astype("i2"), 16, sample_format=2, **layout
        )
        DEEP[f"tiff signed 32, {name}"] = lambda path, layout=layout: write_tiff(
            path, (RAMP * 16843009 - 2**31).astype("i4"), 32, sample_format=2, **layout
        )
        DEEP[f"tiff signed 8, {name}"] = lambda path, layout=layout: write_tiff(
            path, (RAMP - 128).astype("i1"), 8, sample_format=2, **layout
        )


@pytest.mark.parametrize("kind", DEEP)
def test_grey_is_scaled_by_the_range_of_its_type(kind: str, tmp_path: Path) -> None:
    image = read_image(DEEP[kind](tmp_path / "image"))
    assert image.mode == "RGB"
    for channel in np.moveaxis(np.asarray(image), 2, 0):
        np.testing.assert_array_equal(channel, RAMP)


def test_16_bits_of_jpeg_2000_are_scaled(tmp_path: Path) -> None:
    path = tmp_path / "image.jp2"
    Image.fromarray((RAMP * 257).astype(np.uint16)).save(path)
    np.testing.assert_array_equal(np.asarray(read_image(path))[..., 0], RAMP)


def test_levels_are_not_stretched_to_the_range_of_one_picture(tmp_path: Path) -> None:
    write_png(tmp_path / "dark.png", np.array([[0, 4095]]), GREY, 16)
    assert np.asarray(read_image(tmp_path / "dark.png"))[..., 0].tolist() == [[0, 16]]


@pytest.mark.parametrize(
    ("sample", "pixels", "levels"),
    [
        (SampleType(16), np.array([0, 128, 129, 65535], "u2"), [0, 0, 1, 255]),
        (SampleType(12), np.array([0, 4095], "u2"), [0, 255]),
        (SampleType(16, inverted=True), np.array([0, 65535], "u2"), [255, 0]),
        (SampleType(16, signed=True), np.array([-32768, 0, 32767], "i4"), [0, 128, 255]),
        (SampleType(32), np.array([0, -1, 2**31 - 1], "i4"), [0, 255, 127]),
        (SampleType(32, signed=True), np.array([-(2**31), 2**31 - 1], "i4"), [0, 255]),
        (SampleType(8, signed=True), np.array([128, 0, 127], "u1"), [0, 128, 255]),
    ],
)
def test_lowest_value_of_the_type_is_0_and_highest_255(
    sample: SampleType, pixels: Levels, levels: list[int]
) -> None:
    assert sample.to_8_bits(pixels).tolist() == levels


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize(("channels", "photometric"), [(3, 2), (4, 5)])
def test_16_bit_colours_in_planes_are_refused(
    channels: int, photometric: int, big_endian: bool, tmp_path: Path
) -> None:
    colours = np.stack([RAMP * 257] * channels, 2).astype("u2")
    path = tmp_path / "image.tif"
    write_tiff(path, colours, 16, photometric=photometric, big_endian=big_endian, in_planes=True)
    with pytest.raises(UnreadableImageError, match="more than 8 bits are stored in separate plane"):
        read_image(path)


def test_8_bit_colours_in_planes_are_read(tmp_path: Path) -> None:
    colours = np.stack([RAMP, 255 - RAMP, RAMP // 2], 2).astype("u1")
    path = write_tiff(tmp_path / "image.tif", colours, 8, photometric=2, in_planes=True)
    np.testing.assert_array_equal(np.asarray(read_image(path)), colours)
