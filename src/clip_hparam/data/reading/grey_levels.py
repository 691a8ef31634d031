"""Grey levels of more than 8 bits, or signed, scaled to 0 to 255 by the range of their type."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile

from clip_hparam.data.dataset import ImageArray
from clip_hparam.data.reading.errors import UnsupportedPixelsError

DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")
SIGNED, WHITE_IS_ZERO = 2, 0  # values of TIFF's SampleFormat and PhotometricInterpretation
SAMPLE_FORMAT = 339  # TIFF tag
SEPARATE_PLANES = 2  # value of TIFF's PlanarConfiguration
SMALL = 2**23  # half of one 8-bit step of a 32-bit range: 2**32 / 256 / 2
BLOCK_SIZE = 2**20  # pixels that are scaled at once; they take 8 bytes each
NATIVE_ORDER = {"I;16BS": "I;16NS", "I;32BS": "I;32NS"}


@dataclass(frozen=True)
class SampleType:
    """Type of the grey levels of a file. inverted: 0 is white."""

    bits: int
    signed: bool = False
    inverted: bool = False

    def to_8_bits(self, pixels: NDArray[Any]) -> ImageArray:
        """Return the levels of decoded pixels, uint8: lowest value of the type 0, highest 255.

        Raises: UnsupportedPixelsError.
        """
        values = pixels.view(self._dtype(pixels.dtype))
        self._require_range(int(values.min()), int(values.max()))
        levels = np.empty(values.shape, np.uint8)
        rows = max(1, BLOCK_SIZE // values.shape[-1])
        for start in range(0, len(values), rows):
            levels[start : start + rows] = self._scaled(values[start : start + rows])
        return levels

    def _scaled(self, values: NDArray[Any]) -> ImageArray:
        lowest = -(2 ** (self.bits - 1)) if self.signed else 0
        scaled = np.rint((values.astype(np.float64) - lowest) * (255 / (2**self.bits - 1)))
        levels: ImageArray = scaled.astype(np.uint8)
        return 255 - levels if self.inverted else levels

    def _require_range(self, low: int, high: int) -> None:
        """Raise UnsupportedPixelsError for 32-bit pixels that would all become one 8-bit level."""
        if self.bits < 32 or max(-low, high) >= SMALL or (low == high == 0 and not self.signed):
            return
        raise UnsupportedPixelsError(
            f"its 32-bit values, {low:,} to {high:,}, would all become one grey level of 8 bits",
            "store it in 16 bits",
        )

    def _dtype(self, decoded: np.dtype[Any]) -> np.dtype[Any]:
        """Return the dtype of the file's values; Pillow has neither uint32 nor int8."""
        changed = {(32, False): np.uint32, (8, True): np.int8}.get((self.bits, self.signed))
        return np.dtype(changed) if changed else decoded


def sample_type(image: Image.Image) -> SampleType | None:
    """Return the type of grey levels that must be scaled, else None.

    Pillow has scaled colours, and grey of at most 8 bits, to 0 to 255, and the levels of a PGM or
    of a JPEG 2000 file to 16 bits.
    """
    tags: Any = getattr(image, "tag_v2", {})
    signed = SIGNED in tags.get(SAMPLE_FORMAT, ())
    if image.mode not in DEEP_MODES and not (signed and image.mode == "L"):
        return None
    (bits,) = tags.get(ExifTags.Base.BitsPerSample, (16,))
    # missing or 1: black is zero
    inverted = tags.get(ExifTags.Base.PhotometricInterpretation) == WHITE_IS_ZERO
    return SampleType(bits, signed, inverted)


def has_deep_planes(image: Image.Image) -> bool:
    """Return whether a TIFF holds a plane of more than 8 bits for each colour.

    Pillow takes the bytes of such a plane as pixels of 8 bits.
    """
    tags: Any = getattr(image, "tag_v2", {})
    bits = tags.get(ExifTags.Base.BitsPerSample, (1,))
    separate = tags.get(ExifTags.Base.PlanarConfiguration) == SEPARATE_PLANES
    return separate and len(bits) > 1 and max(bits) > 8


def repair_byte_order(image: ImageFile.ImageFile) -> None:
    """Let the signed levels of a compressed big-endian TIFF be read in the right byte order.

    libtiff returns them in the order of the machine, and Pillow takes them as big-endian.
    """
    image.tile = [
        tile._replace(args=(NATIVE_ORDER.get(tile.args[0], tile.args[0]), *tile.args[1:]))
        if tile.codec_name == "libtiff" and isinstance(tile.args, tuple)
        else tile
        for tile in image.tile
    ]
