"""Silence the warnings of image decoders: an exception names the fault of a file.

All of this changes the state of the process, not of a thread.
"""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import ImageFile

STDERR = 2  # file descriptor
SILENT = logging.CRITICAL + 1  # level


@contextmanager
def silence_pillow() -> Iterator[None]:
    """Ignore warnings, and messages that Pillow logs, such as those about damaged metadata.

    Enter it once for many images: a change of level empties the caches of all loggers. Inside
    another call it does nothing.
    """
    logger = logging.getLogger("PIL")
    level = logger.level
    if level == SILENT:
        yield
        return
    logger.setLevel(SILENT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def silence_libtiff(image: ImageFile.ImageFile) -> Iterator[None]:
    """Discard what libtiff prints to stderr while it decodes a damaged file."""
    if not any(tile.codec_name == "libtiff" for tile in image.tile):
        yield
        return
    stderr, nowhere = os.dup(STDERR), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STDERR)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(stderr, STDERR)
        os.close(stderr)
