"""The EXIF orientation of an image: the rotation that makes the image upright."""

from PIL import ExifTags, Image, ImageFile

METHODS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = (5, 6, 7, 8)
MAPPED_MODES = ("L", "P", "RGBX", "RGBA", "CMYK", "I;16", "I;16L", "I;16B")  # Pillow's


def orientation_of(image: Image.Image) -> int:
    """Return the orientation, 1 to 8, of EXIF or XMP; 1 (upright) if it is missing or damaged.

    The metadata after the pixels of a PNG are known only when it is decoded. A decoded TIFF is
    upright, because Pillow turns it.
    """
    try:
        # PngImageFile.getexif would decode the image
        value = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
    except Exception:  # Pillow's parser raises many types for damaged metadata
        return 1
    return int(value) if value in METHODS else 1


def keep_stored_rows(image: ImageFile.ImageFile) -> None:
    """Let Pillow decode a TIFF and not map its file into memory.

    The map has rows of the width of the upright picture, which are not the rows of the file.
    """
    if image.format == "TIFF":
        image.filename = ""


def has_mapped_rows(image: ImageFile.ImageFile) -> bool:
    """Return whether the rows of a file were cut wrongly before `keep_stored_rows`."""
    if image.format != "TIFF" or len(image.tile) != 1 or image.mode not in MAPPED_MODES:
        return False
    (tile,) = image.tile
    unchanged = isinstance(tile.args, tuple) and tile.args[0] == image.mode
    sideways = Image.Image.getexif(image).get(ExifTags.Base.Orientation) in SIDEWAYS
    return sideways and unchanged and tile.codec_name == "raw"


def turned_upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return the image turned or mirrored as an orientation, 1 to 8, asks."""
    return image.transpose(METHODS[orientation]) if orientation in METHODS else image
