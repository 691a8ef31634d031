"""The header of a file says whether the rules change its pixels; nothing is decoded."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile
from support.image_files import (
    COLOUR,
    COLOUR_ALPHA,
    GREY,
    PALETTE,
    exif_of,
    write_pgm,
    write_png,
    write_tiff,
)

from clip_hparam.data.reading.headers import HeaderFacts, read_facts
from clip_hparam.data.reading.image import read_image

NONE, PIXELS, TURNED, FRAMES, REREAD = HeaderFacts(0), *HeaderFacts
ONE = np.array([[7]])
WHITE = Image.new("RGB", (4, 3), (255, 255, 255))


def saved(path: Path, suffix: str, image: Image.Image = WHITE, **options: object) -> Path:
    path = path.with_suffix(f".{suffix}")
    image.save(path, **options)
    return path


def as_before(name: str) -> Callable[[Path], Path]:
    return lambda path: saved(path, name)


EXIF = b"Exif\0\0" + exif_of(6)
CASES: dict[str, tuple[HeaderFacts, Callable[[Path], Path]]] = {
    **{name: (NONE, as_before(name)) for name in ("jpg", "png", "webp", "tif", "bmp", "ppm")},
    "jpg cmyk": (NONE, lambda path: saved(path, "jpg", WHITE.convert("CMYK"))),
    "jpg grey": (NONE, lambda path: saved(path, "jpg", WHITE.convert("L"))),
    "jpg upright": (NONE, lambda path: saved(path, "jpg", exif=b"Exif\0\0" + exif_of(1))),
    "jpg turned": (TURNED, lambda path: saved(path, "jpg", exif=EXIF)),
    "webp turned": (TURNED, lambda path: saved(path, "webp", exif=EXIF)),
    "tif turned": (NONE, lambda path: saved(path, "tif", exif=EXIF)),
    **{
        f"tif {mode} turned": (
            PIXELS | REREAD,
            lambda path, mode=mode: saved(path, "tif", WHITE.convert(mode), exif=EXIF),
        )
        for mode in ("L", "P", "CMYK")
    },
    "tif packed turned": (
        NONE,
        lambda path: saved(path, "tif", WHITE.convert("L"), exif=EXIF, compression="tiff_lzw"),
    ),
    "png palette": (NONE, lambda path: saved(path, "png", WHITE.convert("P"))),
    "png 1": (NONE, lambda path: write_png(path, ONE & 1, GREY, 1)),
    "png 16": (PIXELS, lambda path: write_png(path, ONE, GREY, 16)),
    "png rgb 16": (NONE, lambda path: write_png(path, np.ones((1, 1, 3), int), COLOUR, 16)),
    "png rgba": (PIXELS, lambda path: write_png(path, np.ones((1, 1, 4), int), COLOUR_ALPHA, 8)),
    "png key": (
        PIXELS,
        lambda path: write_png(path, ONE, GREY, 8, [(b"tRNS", struct.pack(">H", 7))]),
    ),
    "png palette key": (
        PIXELS,
        lambda path: write_png(path, ONE * 0, PALETTE, 8, [(b"PLTE", bytes(3)), (b"tRNS", b"\0")]),
    ),
    "png turned": (TURNED, lambda path: write_png(path, ONE, GREY, 8, [(b"eXIf", exif_of(6))])),
    "png turned late": (
        TURNED,
        lambda path: write_png(
            path, ONE, GREY, 8, after=[(b"tEXt", b"date:create\0now"), (b"eXIf", exif_of(6))]
        ),
    ),
    "png dated late": (
        NONE,
        lambda path: write_png(path, ONE, GREY, 8, after=[(b"tEXt", b"date:create\0now")]),
    ),
    "png 16 turned": (
        PIXELS | TURNED,
        lambda path: write_png(path, ONE, GREY, 16, [(b"eXIf", exif_of(6))]),
    ),
    "pgm 12": (PIXELS, lambda path: write_pgm(path, ONE, 4095)),
    "pgm 4": (NONE, lambda path: write_pgm(path, ONE, 15)),
    "tif 16": (PIXELS, lambda path: write_tiff(path, ONE.astype("u2"), 16)),
    "tif signed 8": (PIXELS, lambda path: write_tiff(path, ONE.astype("i1"), 8, sample_format=2)),
    "tif float": (PIXELS, lambda path: write_tiff(path, ONE.astype("f4"), 32, sample_format=3)),
    "gif frames": (
        FRAMES,
        lambda path: saved(path, "gif", save_all=True, append_images=[Image.new("RGB", (4, 3))]),
    ),
    "tif pages": (
        FRAMES,
        lambda path: saved(path, "tif", save_all=True, append_images=[Image.new("RGB", (4, 3))]),
    ),
    "mpo": (
        NONE,
        lambda path: saved(path, "mpo", save_all=True, append_images=[Image.new("RGB", (4, 3))]),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_facts_are_known_from_the_header(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, write = CASES[case]
    path = write(tmp_path / "image")
    if not case.endswith("turned late"):
        monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: pytest.fail("decoded"))
    assert read_facts(path) == expected


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xd8\xff\xe0\x00", b"\x89PNG\r\n\x1a\n"])
def test_file_that_cannot_be_opened_has_no_facts(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "image.png").write_bytes(content)
    assert read_facts(tmp_path / "image.png") == NONE
    assert read_facts(tmp_path / "gone.png") == NONE


@pytest.mark.parametrize("case", [case for case, (facts, _) in CASES.items() if not facts])
def test_file_without_facts_has_the_pixels_of_before(case: str, tmp_path: Path) -> None:
    path = CASES[case][1](tmp_path / "image")
    with Image.open(path) as image:
        np.testing.assert_array_equal(
            np.asarray(read_image(path)), np.asarray(image.convert("RGB"))
        )
