"""Silence the decoders: what is wrong with a file is said in one sentence, by an exception.

All of this changes the state of the process, not of a thread.
"""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import ImageFile

STDERR = 2  # file descriptor


@contextmanager
def silence_pillow() -> Iterator[None]:
    """Ignore warnings, and messages that Pillow logs, such as those about damaged metadata."""
    logger = logging.getLogger("PIL")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
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
