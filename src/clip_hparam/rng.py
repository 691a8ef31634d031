"""Random numbers as functions of (seed, epoch, index).

A table is drawn for a whole epoch at once and read by position, so a run that goes on from any
step, on any number of ranks or in any micro-batches, sees the numbers of an undisturbed one.
"""

import zlib

import numpy as np
from numpy.typing import NDArray


def stream(seed: int, epoch: int, purpose: str) -> np.random.Generator:
    """An independent generator for one purpose ("order", "augment", ...) in one epoch."""
    key = np.random.SeedSequence([seed, epoch, zlib.crc32(purpose.encode())])
    return np.random.Generator(np.random.Philox(key))


def sampling_order(seed: int, epoch: int, images: int, draws: int) -> NDArray[np.int64]:
    """Which of `images` is read at each of `draws` positions: permutations, one after another."""
    generator = stream(seed, epoch, "order")
    rounds = -(-draws // images)
    return np.concatenate([generator.permutation(images) for _ in range(rounds)])[:draws]


def uniform(seed: int, epoch: int, purpose: str, draws: int, columns: int) -> NDArray[np.float32]:
    """Uniform [0, 1) numbers, shape (draws, columns): row i belongs to position i."""
    return stream(seed, epoch, purpose).random((draws, columns), dtype=np.float32)
