"""Facts in the header of an image file, read without decoding it.

They say whether the rules of `image.read_image` give other pixels than the code before them, which
read each file as Pillow's `convert("RGB")`.
"""

import struct
from enum import IntFlag
from pathlib import Path
from typing import Any

from PIL import ImageFile

from clip_hparam.data.reading.errors import UnreadableImageError
from clip_hparam.data.reading.grey_levels import sample_type
from clip_hparam.data.reading.image import open_header
from clip_hparam.data.reading.orientation import has_mapped_rows, orientation_of

TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
LATE_TEXTS = (b"Raw profile type exif", b"XML:com.adobe.xmp")
"""Keywords of text chunks of a PNG that may hold an orientation."""


class HeaderFacts(IntFlag):
    """Facts about a file; none for a file that cannot be opened.

    PIXELS: its levels or its transparency are read by rules that the code before did not have.
    TURNED: its orientation says that the picture must be turned.
    FRAMES: it holds several frames or pages.
    REREAD: version 1 of the rules read other pixels than the present one.
    """

    PIXELS = 1
    TURNED = 2
    FRAMES = 4
    REREAD = 8


def read_facts(path: Path) -> HeaderFacts:
    """Return the facts in the header of a file."""
    try:
        with open_header(path) as image:
            facts = HeaderFacts(0)
            if image.mode == "F" or sample_type(image) or image.has_transparency_data:
                facts |= HeaderFacts.PIXELS
            if has_mapped_rows(image):
                facts |= HeaderFacts.PIXELS | HeaderFacts.REREAD
            if getattr(image, "is_animated", False) and image.format != "MPO":
                facts |= HeaderFacts.FRAMES
            return facts | HeaderFacts.TURNED if _must_be_turned(image) else facts
    except UnreadableImageError:
        return HeaderFacts(0)


def _must_be_turned(image: ImageFile.ImageFile) -> bool:
    if image.format == "TIFF":  # Pillow turns it, and the code before relied on that
        return False
    if image.format == "PNG" and _has_late_metadata(image):
        image.load()
    return orientation_of(image) != 1


def _has_late_metadata(png: ImageFile.ImageFile) -> bool:
    """Return whether metadata that may hold an orientation follow the pixels of a PNG."""
    file: Any = png.fp
    position = png.tile[0].offset - 8
    file.seek(position)
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == b"eXIf" or (kind in TEXT_CHUNKS and file.read(32).startswith(LATE_TEXTS)):
            return True
        position += length + 12
        file.seek(position)
    return False
