"""Transparent pixels are white; the colours stored below them are not seen."""

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from support.image_files import COLOUR, COLOUR_ALPHA, GREY_ALPHA, PALETTE, write_tiff
from support.image_files import write_png as write_png_samples
from support.picture_pairs import (
    CLASSES,
    Picture,
    Write,
    assert_read_alike,
    trained_metrics,
    write_folder,
)
from support.picture_pairs import write_png as write_plain_png

HIDDEN = ((0, 0, 0), (255, 0, 0), (0, 120, 255))  # colour below the transparent pixels, by class


def on_white(picture: Picture) -> Picture:
    """Return the picture with a white right half."""
    shown = picture.copy()
    shown[:, 20:] = 255
    return shown


def with_hidden_half(path: Path, picture: Picture) -> Picture:
    """Return the picture with a right half of a colour that differs by class, as RGBA."""
    hidden = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    hidden[:, 20:] = (*HIDDEN[CLASSES.index(path.parent.name)], 0)
    return hidden


def write_rgba(path: Path, picture: Picture) -> None:
    write_png_samples(path.with_suffix(".png"), with_hidden_half(path, picture), COLOUR_ALPHA, 8)


def write_grey_alpha(path: Path, picture: Picture) -> None:
    hidden = with_hidden_half(path, picture)
    write_png_samples(path.with_suffix(".png"), hidden[..., 1:].take([0, 2], 2), GREY_ALPHA, 8)


def palette_of(path: Path, picture: Picture, hidden: int) -> tuple[NDArray[np.int64], bytes]:
    """Return indices, `hidden` at transparent pixels, and a palette of grey levels."""
    indices = picture[..., 0].astype(np.int64).clip(1, 255)
    indices[:, 20:] = hidden
    palette = bytearray(np.arange(256, dtype=np.uint8).repeat(3).tobytes())
    palette[3 * hidden : 3 * hidden + 3] = bytes(HIDDEN[CLASSES.index(path.parent.name)])
    return indices, bytes(palette)


def write_palette(path: Path, picture: Picture) -> None:
    indices, palette = palette_of(path, picture, hidden=0)
    chunks = [(b"PLTE", palette), (b"tRNS", b"\x00")]
    write_png_samples(path.with_suffix(".png"), indices, PALETTE, 8, chunks)


def write_palette_of_opacities(path: Path, picture: Picture) -> None:
    indices, palette = palette_of(path, picture, hidden=0)
    chunks = [(b"PLTE", palette), (b"tRNS", b"\x00" + b"\xff" * 254 + b"\x80")]
    write_png_samples(path.with_suffix(".png"), indices, PALETTE, 8, chunks)


def write_key(path: Path, picture: Picture) -> None:
    """Write a colour PNG with one transparent colour."""
    rgb = with_hidden_half(path, picture)[..., :3]
    key = [(b"tRNS", struct.pack(">HHH", *HIDDEN[CLASSES.index(path.parent.name)]))]
    write_png_samples(path.with_suffix(".png"), rgb, COLOUR, 8, key)


def write_webp(path: Path, picture: Picture) -> None:
    image = Image.fromarray(with_hidden_half(path, picture))
    image.save(path.with_suffix(".webp"), lossless=True, exact=True)


FORMS: dict[str, Write] = {
    "rgba png": write_rgba,
    "grey png with alpha": write_grey_alpha,
    "palette png, one transparent entry": write_palette,
    "palette png, several opacities": write_palette_of_opacities,
    "png with a transparent colour": write_key,
    "webp": write_webp,
    "tiff": lambda path, picture: write_tiff(
        path.with_suffix(".tif"),
        with_hidden_half(path, picture),
        8,
        photometric=2,
        extra_sample=2,
    ),
}


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the pictures as any viewer shows them."""
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))
    return write_folder(
        tmp_path / "plain", lambda path, picture: write_plain_png(path, on_white(picture))
    )


@pytest.mark.parametrize("form", FORMS)
def test_hidden_colours_are_not_seen(form: str, plain: Path, tmp_path: Path) -> None:
    assert_read_alike(plain, write_folder(tmp_path / "transparent", FORMS[form]))


def test_classes_that_differ_by_hidden_colours_only_are_not_distinguished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each class holds the same picture, whose transparent half has another colour."""
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))

    def write_same_picture(path: Path, picture: Picture) -> None:
        write_rgba(path, np.full_like(picture, 100))

    root = write_folder(tmp_path / "same", write_same_picture)
    note = (
        "note: 12 of 12 images of the test set are training images too (links or copies of files in"
        f" {root / 'train'}), such as bright/0.png: they inflate its accuracy\n"
    )
    metrics = trained_metrics(root, tmp_path / "of_same", note)
    assert metrics["test_acc1.raw.last"] == pytest.approx(100 / 3)
    assert metrics["test_acc1.ema.last"] == pytest.approx(100 / 3)
