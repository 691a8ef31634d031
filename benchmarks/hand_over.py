"""CPU time of the process of a trial for images that its workers hand over, against the old way.

python benchmarks/hand_over.py [ROUNDS]     prints Markdown rows; compare the ratios

The old way: float32 chunks of 32 images through torch's queue, joined by torch.cat, and new
processes for each epoch. Here: 8-bit pixels in a shared buffer, and processes that stay. Both take
torch's DataLoader with two workers, which write zeros in place of images. CPU time of this process
alone is counted; starting the processes counts in neither.
"""

import sys
import time
from collections.abc import Iterator
from statistics import median

import numpy as np
import torch
from rows import Row, ratio_of, row_of, to_markdown
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from clip_hparam.data.dataset import TRAIN, Images
from clip_hparam.data.loading.loader import ImageLoader, LoaderOptions
from clip_hparam.data.loading.read_request import CHANNELS, ReadRequest
from clip_hparam.data.loading.wait_clock import WaitClock

QUICK = ["1"]
BATCH, BATCHES, WORKERS, CHUNK = 256, 8, 2, 32
LIMIT_MS = 0.12  # an image of 224 px


class ZeroReader:
    """Writes zeros as fast as a worker can."""

    dtype = torch.uint8

    def read(self, images: Images, request: ReadRequest, out: Tensor) -> None:
        out.zero_()


class ZeroChunks(Dataset[Tensor]):
    """Chunks of normalised zeros."""

    def __init__(self, side: int) -> None:
        self.side = side

    def __getitems__(self, chunk: list[int]) -> Tensor:
        return torch.zeros(len(chunk), CHANNELS, self.side, self.side)


def identity(chunk: Tensor) -> Tensor:
    return chunk


def old_way(side: int) -> Iterator[Tensor]:
    """Yield batches as the product handed them over before."""
    chunks = [list(range(CHUNK))] * (BATCH // CHUNK * BATCHES)
    loader: DataLoader[Tensor] = DataLoader(
        ZeroChunks(side), batch_sampler=chunks, collate_fn=identity, num_workers=WORKERS
    )
    read = iter(loader)
    for _ in range(BATCHES):
        yield torch.cat([next(read) for _ in range(BATCH // CHUNK)])


def new_way(loader: ImageLoader, side: int) -> Iterator[Tensor]:
    return loader.batches([ReadRequest(TRAIN, np.arange(BATCH), None, side)] * BATCHES)


def milliseconds(batches: Iterator[Tensor]) -> float:
    """Return the CPU time of this process an image, after the first batch."""
    next(batches)
    started = time.process_time()
    images = sum(len(batch) for batch in batches)
    return 1e3 * (time.process_time() - started) / images


def main() -> list[Row]:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    torch.set_num_threads(1)
    rows: list[Row] = []
    for side in (32, 224, 336):
        options = LoaderOptions(WORKERS, BATCH, side)
        loader = ImageLoader(
            {TRAIN: np.zeros((1, 3, 1, 1), np.uint8)}, ZeroReader(), options, WaitClock("")
        )
        list(new_way(loader, side))  # touches the pages of the buffer
        times = [
            (milliseconds(old_way(side)), milliseconds(new_way(loader, side)))
            for _ in range(rounds)
        ]
        loader.close()
        old, new = zip(*times, strict=True)
        what = f"hand-over: {side} px"
        rows += [
            row_of(f"{what}, main process", new, "CPU ms an image"),
            ratio_of(f"{what}, x before", new, old, "float32 chunks"),
        ]
        if side == 224 and median(new) > LIMIT_MS:
            print(f"the hand-over takes {median(new):.2f} ms an image; the aim is {LIMIT_MS}")
    return rows


if __name__ == "__main__":
    print(to_markdown(main()))
