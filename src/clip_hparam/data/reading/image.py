"""Decode a whole image file to 8-bit RGB by the rules of docs/data.md."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageFile, UnidentifiedImageError

from clip_hparam.data.reading.errors import UnreadableImageError, UnsupportedPixelsError
from clip_hparam.data.reading.grey_levels import has_deep_planes, repair_byte_order, sample_type
from clip_hparam.data.reading.orientation import keep_stored_rows, orientation_of, turned_upright
from clip_hparam.data.reading.silence_decoders import silence_libtiff, silence_pillow
from clip_hparam.data.reading.transparency import match_key_to_pixels, to_rgb

FORMATS = ("JPEG", "PNG", "PPM", "BMP", "TIFF", "WEBP", "GIF", "JPEG2000", "AVIF")
"""Pillow's readers that recognise a file by its first bytes; no others are tried."""
JPEG_SUFFIXES = (".jpg", ".jpeg", "")
"""Suffixes of images that the official code reads; a row of a Parquet file may have none."""


def read_image(path: Path, official: bool = False, content: bytes | None = None) -> Image.Image:
    """Return the decoded image, mode RGB, which no longer needs the file.

    content: the bytes of the image, where it is part of a larger file and `path` only names it.

    official: read as the official code reads ImageNet. The orientation is ignored, and a file that
        is named as a JPEG but is none keeps the hidden colours of transparent pixels.

    Call it in one thread at a time, see `silence`.

    Raises: UnreadableImageError.
    """
    with silence_pillow(), open_header(path, content) as image:
        repair_byte_order(image)
        match_key_to_pixels(image)
        as_official = official and is_named_jpeg(path)
        if not as_official:
            keep_stored_rows(image)
        with silence_libtiff(image):
            image.load()
        _require_supported(image)
        if as_official:
            return _convert_as_official(image)
        orientation = 1 if official else orientation_of(image)
        return turned_upright(to_rgb(image), orientation)


@contextmanager
def open_header(path: Path, content: bytes | None = None) -> Iterator[ImageFile.ImageFile]:
    """Open an image file, whose pixels are not decoded. content: as for `read_image`.

    Raises: UnreadableImageError, in place of any exception of the `with` block.
    """
    try:
        with Image.open(path if content is None else BytesIO(content), formats=FORMATS) as image:
            yield image
    except Exception as error:  # Pillow's plugins raise many types
        size = len(content) if content is not None else None
        raise UnreadableImageError(_sentence(path, error, size)) from error


def is_named_jpeg(path: Path) -> bool:
    """Return whether the suffix of a file is that of a JPEG, or missing."""
    return path.suffix.lower() in JPEG_SUFFIXES


def _require_supported(image: Image.Image) -> None:
    if image.mode == "F":
        raise UnsupportedPixelsError(
            "its pixels are floating-point numbers, for which black and white are not defined",
            "convert it to integers of 8 or 16 bits",
        )
    if has_deep_planes(image):
        raise UnsupportedPixelsError(
            "its colours of more than 8 bits are stored in separate planes",
            "store the colours of a pixel side by side, or in 8 bits",
        )


def _convert_as_official(image: ImageFile.ImageFile) -> Image.Image:
    """Return the image as torchvision's ImageFolder does."""
    if sample_type(image) is not None:
        raise UnsupportedPixelsError(
            f"it is a {image.format} of more than 8 bits that is named as a JPEG",
            "rename it",
        )
    return image.convert("RGB")


def _sentence(path: Path, error: Exception, size: int | None) -> str:
    generic = "replace or remove it"
    remedy = error.remedy if isinstance(error, UnsupportedPixelsError) else generic
    name = os.fsencode(path).decode(errors="backslashreplace").replace("\n", "\\n")
    return f"{name} cannot be read as an image ({_reason(path, error, size)}): {remedy}"


def _reason(path: Path, error: Exception, size: int | None) -> str:
    if isinstance(error, UnidentifiedImageError):
        if not (path.stat().st_size if size is None else size):
            return "the file is empty"
        return (
            f"its format is not one of {', '.join(FORMATS)}, or a variant that Pillow cannot read"
        )
    if isinstance(error, Image.DecompressionBombError):
        return f"it has more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels"
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return " ".join(text.split()) or type(error).__name__
