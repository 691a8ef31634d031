"""Random numbers as functions of (seed, epoch, index).

The numbers of a whole epoch are drawn at once and read by position. A trial that resumes at any
step, with any number of ranks or micro-batches, therefore uses the same numbers.
"""

import zlib

import numpy as np
from numpy.typing import NDArray


def stream(seed: int, epoch: int, purpose: str) -> np.random.Generator:
    """Return an independent generator for one purpose ("order", "augment", ...) in one epoch."""
    key = np.random.SeedSequence([seed, epoch, zlib.crc32(purpose.encode())])
    return np.random.Generator(np.random.Philox(key))


def sampling_order(seed: int, epoch: int, images: int, draws: int) -> NDArray[np.int64]:
    """Return the index of the image at each of `draws` positions: consecutive permutations."""
    generator = stream(seed, epoch, "order")
    rounds = -(-draws // images)
    return np.concatenate([generator.permutation(images) for _ in range(rounds)])[:draws]


def uniform(seed: int, epoch: int, purpose: str, draws: int, columns: int) -> NDArray[np.float32]:
    """Return uniform numbers in [0, 1), shape (draws, columns); row i belongs to position i."""
    return stream(seed, epoch, purpose).random((draws, columns), dtype=np.float32)
