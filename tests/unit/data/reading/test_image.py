"""An image file of any mode is read as the same RGB picture, or refused in one sentence."""

import struct
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from support.image_files import (
    COLOUR,
    COLOUR_ALPHA,
    GREY,
    GREY_ALPHA,
    PALETTE,
    Levels,
    png_chunk,
    write_pgm,
    write_png,
    write_tiff,
)

from clip_hparam.data.reading.errors import UnreadableImageError
from clip_hparam.data.reading.image import read_image

Writer = Callable[[Path, Levels], Path]


def scaled(levels: Levels, bits: int, lowest: int = 0, dtype: str = "i8") -> Levels:
    """Return levels of 8 bits in a type of more bits."""
    exact = levels.astype(np.float64) * ((2**bits - 1) / 255)
    return (np.rint(exact).astype(np.int64) + lowest).astype(dtype)


def with_alpha(levels: Levels) -> Levels:
    """Return levels with an opaque last channel."""
    channels = levels if levels.ndim == 3 else levels[..., None]
    return np.concatenate([channels, np.full_like(channels[..., :1], 255)], axis=2)


def save(path: Path, image: Image.Image, suffix: str, **options: object) -> Path:
    path = path.with_suffix(f".{suffix}")
    image.save(path, **options)
    return path


def palette_png(path: Path, colours: Levels) -> Path:
    entries, indices = np.unique(colours.reshape(-1, 3), axis=0, return_inverse=True)
    table = [(b"PLTE", entries.astype(np.uint8).tobytes())]
    return write_png(path, indices.reshape(colours.shape[:2]), PALETTE, 8, table)


def cmyk_tiff(path: Path, colours: Levels) -> Path:
    inks = np.concatenate([255 - colours, np.zeros_like(colours[..., :1])], axis=2)
    return write_tiff(path, inks.astype("u1"), 8, photometric=5)


GREY_WRITERS: dict[str, Writer] = {
    "png 8": lambda path, grey: write_png(path, grey, GREY, 8),
    "png 16": lambda path, grey: write_png(path, scaled(grey, 16), GREY, 16),
    "png 8, alpha": lambda path, grey: write_png(path, with_alpha(grey), GREY_ALPHA, 8),
    "png 16, alpha": lambda path, grey: write_png(
        path, scaled(with_alpha(grey), 16), GREY_ALPHA, 16
    ),
    "tiff 8": lambda path, grey: write_tiff(path, grey.astype("u1"), 8),
    "tiff 8, white is zero": lambda path, grey: write_tiff(
        path, (255 - grey).astype("u1"), 8, photometric=0
    ),
    "tiff 8, signed": lambda path, grey: write_tiff(
        path, scaled(grey, 8, -(2**7), "i1"), 8, sample_format=2
    ),
    "tiff 12": lambda path, grey: write_tiff(path, scaled(grey, 12), 12),
    "tiff 16": lambda path, grey: write_tiff(path, scaled(grey, 16, dtype="u2"), 16),
    "tiff 16, big-endian": lambda path, grey: write_tiff(
        path, scaled(grey, 16, dtype="u2"), 16, big_endian=True
    ),
    "tiff 16, signed": lambda path, grey: write_tiff(
        path, scaled(grey, 16, -(2**15), "i2"), 16, sample_format=2
    ),
    "tiff 32": lambda path, grey: write_tiff(path, scaled(grey, 32, dtype="u4"), 32),
    "tiff 32, signed": lambda path, grey: write_tiff(
        path, scaled(grey, 32, -(2**31), "i4"), 32, sample_format=2, deflate=True
    ),
    "jpeg 2000 8": lambda path, grey: save(path, Image.fromarray(grey.astype(np.uint8)), "jp2"),
    "jpeg 2000 16": lambda path, grey: save(
        path, Image.fromarray(scaled(grey, 16, dtype="u2")), "jp2"
    ),
    "bmp": lambda path, grey: save(path, Image.fromarray(grey.astype(np.uint8)), "bmp"),
    "gif": lambda path, grey: save(path, Image.fromarray(grey.astype(np.uint8)), "gif"),
}
COLOUR_WRITERS: dict[str, Writer] = {
    "png 8": lambda path, rgb: write_png(path, rgb, COLOUR, 8),
    "png 16": lambda path, rgb: write_png(path, scaled(rgb, 16), COLOUR, 16),
    "png 8, alpha": lambda path, rgb: write_png(path, with_alpha(rgb), COLOUR_ALPHA, 8),
    "png 16, alpha": lambda path, rgb: write_png(
        path, scaled(with_alpha(rgb), 16), COLOUR_ALPHA, 16
    ),
    "png palette": palette_png,
    "tiff 8": lambda path, rgb: write_tiff(path, rgb.astype("u1"), 8, photometric=2),
    "tiff 16": lambda path, rgb: write_tiff(
        path, scaled(rgb, 16, dtype="u2"), 16, photometric=2, big_endian=True, deflate=True
    ),
    "tiff 16, alpha": lambda path, rgb: write_tiff(
        path, scaled(with_alpha(rgb), 16, dtype="u2"), 16, photometric=2, extra_sample=2
    ),
    "tiff cmyk": cmyk_tiff,
    "ppm 8": lambda path, rgb: write_pgm(path, rgb, 255),
    "ppm 12": lambda path, rgb: write_pgm(path, scaled(rgb, 12), 4095),
    "ppm 16, plain": lambda path, rgb: write_pgm(path, scaled(rgb, 16), 65535, plain=True),
    "webp": lambda path, rgb: save(
        path, Image.fromarray(rgb.astype(np.uint8)), "webp", lossless=True
    ),
    "webp, alpha": lambda path, rgb: save(
        path, Image.fromarray(with_alpha(rgb).astype(np.uint8)), "webp", lossless=True
    ),
    "bmp": lambda path, rgb: save(path, Image.fromarray(rgb.astype(np.uint8)), "bmp"),
    "jpeg 2000": lambda path, rgb: save(path, Image.fromarray(rgb.astype(np.uint8)), "jp2"),
}
property_test = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture
    ],  # each example writes its file anew
)
sides = st.integers(1, 9)


@pytest.mark.parametrize("mode", GREY_WRITERS)
@property_test
@given(data=st.data())
def test_grey_of_any_mode_is_the_same_picture(
    mode: str, data: st.DataObject, tmp_path: Path
) -> None:
    shape = data.draw(st.tuples(sides, sides))
    grey = data.draw(arrays(np.int64, shape, elements=st.integers(0, 255)))
    read = np.asarray(read_image(GREY_WRITERS[mode](tmp_path / "image", grey))).astype(int)
    assert np.abs(read - grey[..., None]).max() <= 1


@pytest.mark.parametrize("mode", COLOUR_WRITERS)
@property_test
@given(data=st.data())
def test_colours_of_any_mode_are_the_same_picture(
    mode: str, data: st.DataObject, tmp_path: Path
) -> None:
    shape = (*data.draw(st.tuples(sides, sides)), 3)
    rgb = data.draw(arrays(np.int64, shape, elements=st.integers(0, 255)))
    read = np.asarray(read_image(COLOUR_WRITERS[mode](tmp_path / "image", rgb))).astype(int)
    assert np.abs(read - rgb).max() <= 1


@property_test
@given(maxval=st.integers(1, 65535), data=st.data())
def test_levels_of_a_pgm_are_scaled_by_its_maxval(
    maxval: int, data: st.DataObject, tmp_path: Path
) -> None:
    samples = data.draw(arrays(np.int64, (2, 3), elements=st.integers(0, maxval)))
    for plain in (False, True):
        path = write_pgm(tmp_path / "image.pgm", samples, maxval, plain)
        read = np.asarray(read_image(path))[..., 0]
        assert np.abs(read - samples * (255 / maxval)).max() <= 1


@property_test
@given(pixels=arrays(np.int64, (3, 4, 4), elements=st.integers(0, 255)), deep=st.booleans())
def test_alpha_weighs_the_colour_against_white(pixels: Levels, deep: bool, tmp_path: Path) -> None:
    samples, depth = (scaled(pixels, 16), 16) if deep else (pixels, 8)
    path = write_png(tmp_path / "image.png", samples, COLOUR_ALPHA, depth)
    alpha = pixels[..., 3:] / 255
    expected = alpha * pixels[..., :3] + (1 - alpha) * 255
    assert np.abs(np.asarray(read_image(path)) - expected).max() <= 1


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_span_black_to_white(bits: int, tmp_path: Path) -> None:
    ramp = np.arange(2**bits)[None]
    write_png(tmp_path / "image.png", ramp, GREY, bits)
    write_tiff(tmp_path / "image.tif", ramp, bits)
    write_tiff(tmp_path / "inverted.tif", ramp[:, ::-1], bits, photometric=0)
    write_pgm(tmp_path / "image.pgm", ramp, 2**bits - 1)
    for path in tmp_path.iterdir():
        levels = np.asarray(read_image(path))[0, :, 0]
        assert levels.tolist() == (ramp[0] * 255 // (2**bits - 1)).tolist()


def test_bitmap_is_black_where_it_is_set(tmp_path: Path) -> None:
    for kind, content in (("P1", b"1 0"), ("P4", b"\x80")):
        path = tmp_path / f"{kind}.pbm"
        path.write_bytes(f"{kind} 2 1\n".encode() + content)
        assert np.asarray(read_image(path))[0, :, 0].tolist() == [0, 255]


def test_lab_is_converted(tmp_path: Path) -> None:
    colour = Image.new("RGB", (8, 8), (200, 40, 90))
    colour.convert("LAB").save(tmp_path / "image.tif")
    read = np.asarray(read_image(tmp_path / "image.tif")).astype(int)
    assert np.abs(read - np.asarray(colour)).max() <= 3  # two roundings in another space


INK = np.array([[[200, 40, 90], [10, 220, 30]]]).repeat(16, 0).repeat(16, 1).astype(np.uint8)


def cmyk_jpeg(path: Path, transform: int, marker: bool = True) -> Path:
    """Write INK as a JPEG of four inks.

    transform: 0 stores C, M, Y, K, 2 stores them as YCCK. marker: with Adobe's APP14 segment.
    """
    inks = Image.fromarray(INK).convert("CMYK")
    if transform == 2:
        cyan, magenta, yellow, black = inks.split()
        planes = Image.merge("RGB", (cyan, magenta, yellow)).convert("YCbCr").split()
        inverted = [plane.point(lambda level: 255 - level) for plane in planes]
        inks = Image.merge("CMYK", (*inverted, black))
    inks.save(path, quality=100, subsampling=0)
    content = bytearray(path.read_bytes())
    adobe = content.index(b"Adobe")
    content[adobe + 11] = transform
    if not marker:
        del content[adobe - 4 : adobe + 12]
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(("transform", "marker"), [(0, True), (0, False), (2, True)])
def test_inks_of_a_jpeg_are_inverted(transform: int, marker: bool, tmp_path: Path) -> None:
    path = cmyk_jpeg(tmp_path / "image.jpg", transform, marker)
    assert np.abs(np.asarray(read_image(path)).astype(int) - INK).max() <= 3


@pytest.mark.parametrize("suffix", ["gif", "tif", "webp", "png"])
def test_first_of_several_frames_is_read(suffix: str, tmp_path: Path) -> None:
    first, second = (Image.new("RGB", (6, 4), colour) for colour in ((255, 0, 0), (0, 0, 255)))
    path = tmp_path / f"image.{suffix}"
    first.save(path, save_all=True, append_images=[second], lossless=True)
    assert np.abs(np.asarray(read_image(path)).astype(int) - np.asarray(first)).max() == 0


def test_a_wrong_suffix_of_an_image_does_not_matter(tmp_path: Path) -> None:
    write_png(tmp_path / "image.jpg", np.array([[7]]), GREY, 8)
    assert np.asarray(read_image(tmp_path / "image.jpg")).tolist() == [[[7, 7, 7]]]


def written(folder: Path, suffix: str) -> Path:
    """Write noise, which no format stores in a few bytes."""
    pixels = np.random.default_rng(0).integers(256, size=(40, 50, 3), dtype=np.uint8)
    path = folder / f"image.{suffix}"
    Image.fromarray(pixels).save(path)
    return path


SUFFIXES = ("jpg", "png", "ppm", "bmp", "tif", "webp", "gif", "jp2")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.9])
def test_a_file_that_is_cut_off_is_refused(suffix: str, share: float, tmp_path: Path) -> None:
    path = written(tmp_path, suffix)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert refusal(path).startswith(f"{path} cannot be read as an image (")


def refusal(path: Path, official: bool = False) -> str:
    """Return the one sentence that refuses a file."""
    with pytest.raises(UnreadableImageError) as error:
        read_image(path, official)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"hello", "its format is not one of JPEG"),
        (b"%PDF-1.7\n", "its format is not one of JPEG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 2 2\n%%EndComments\n", "not one of JPEG"),
        (b"\0" * 1000, "its format is not one of JPEG"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "not one of JPEG"),
        (b"P5 400000 400000 255\n", "it has more than 178,956,970 pixels"),
    ],
)
def test_other_content_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(content)
    assert reason in refusal(path)


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 60000, 60000, 1, 0, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
    (tmp_path / "bomb.png").write_bytes(png + png_chunk(b"IDAT", b""))
    assert "it has more than 178,956,970 pixels" in refusal(tmp_path / "bomb.png")


@pytest.mark.parametrize("deflate", [False, True])
def test_floating_point_numbers_are_refused(deflate: bool, tmp_path: Path) -> None:
    ramp = np.linspace(0, 1, 12, dtype="f4").reshape(3, 4)
    tiff = write_tiff(tmp_path / "image.tif", ramp, 32, sample_format=3, deflate=deflate)
    Image.fromarray(ramp).save(tmp_path / "image.pfm")
    for path in (tiff, tmp_path / "image.pfm"):
        assert refusal(path) == (
            f"{path} cannot be read as an image (its pixels are floating-point numbers, for which"
            " black and white are not defined): convert it to integers of 8 or 16 bits"
        )


@pytest.mark.parametrize("sample_format", [1, 2])
def test_16_bit_data_in_32_bits_are_refused(sample_format: int, tmp_path: Path) -> None:
    """By the range of the type all pixels would be black, or all grey."""
    ramp = np.array([[0, 40000, 65535]], "i4")
    path = write_tiff(tmp_path / "image.tif", ramp, 32, sample_format=sample_format)
    assert refusal(path) == (
        f"{path} cannot be read as an image (its 32-bit values, 0 to 65,535, would all become one"
        " grey level of 8 bits): store it in 16 bits"
    )


def test_black_picture_of_32_bits_is_read(tmp_path: Path) -> None:
    for lowest, sample_format in ((0, 1), (-(2**31), 2)):
        black = np.full((2, 3), lowest, "i4")
        path = write_tiff(tmp_path / "image.tif", black, 32, sample_format=sample_format)
        assert not np.asarray(read_image(path)).any()


def test_a_missing_file_is_named_once(tmp_path: Path) -> None:
    path = tmp_path / "gone.png"
    assert refusal(path) == (
        f"{path} cannot be read as an image (No such file or directory): replace or remove it"
    )


@pytest.mark.parametrize("name", ["\udcff.png", "two\nlines.png", "été 日.png"])
def test_any_name_gives_one_line_that_can_be_printed(name: str, tmp_path: Path) -> None:
    sentence = refusal(tmp_path / name)
    assert sentence.encode().startswith(f"{tmp_path}/".encode())


def broken_exif(path: Path) -> Path:
    return save(
        path, Image.new("RGB", (4, 3)), "jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x09nonsense"
    )


def invalid_animation(path: Path) -> Path:
    chunks = [(b"acTL", struct.pack(">II", 0, 0))]
    return write_png(path, np.zeros((3, 4), int), GREY, 8, chunks)


def palette_of_opacities(path: Path) -> Path:
    chunks = [(b"PLTE", bytes(9)), (b"tRNS", b"\x00\x33\xff")]
    return write_png(path, np.array([[0, 1, 2]]), PALETTE, 8, chunks)


@pytest.mark.parametrize("write", [broken_exif, invalid_animation, palette_of_opacities])
def test_no_warning_of_pillow_is_seen(write: Callable[[Path], Path], tmp_path: Path) -> None:
    path = write(tmp_path / "image")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert read_image(path).mode == "RGB"
    assert caught == []


def test_files_named_as_jpegs_are_read_as_the_official_code_does(tmp_path: Path) -> None:
    row = np.array([[[9, 8, 7, 0], [1, 2, 3, 255]]])
    named = write_png(tmp_path / "image.JPEG", row, COLOUR_ALPHA, 8)
    other = write_png(tmp_path / "image.png", row, COLOUR_ALPHA, 8)
    assert np.asarray(read_image(named, official=True))[0, 0].tolist() == [9, 8, 7]
    assert np.asarray(read_image(other, official=True))[0, 0].tolist() == [255] * 3
    deep = write_png(tmp_path / "deep.JPEG", np.array([[40000]]), GREY, 16)
    assert "a PNG of more than 8 bits that is named as a JPEG): rename it" in refusal(deep, True)
