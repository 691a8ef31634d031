"""Speed of both augmentation backends on the same images: CPU microseconds per image, one thread.

python benchmarks/augment.py [ROUNDS]      prints Markdown rows; compare the ratios

Rounds of both backends alternate; a ratio is the median of the ratios of the rounds. Images are in
memory: timm converts an array to a PIL image, and nothing is decoded.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from statistics import median

import numpy as np
import torch
from torch import Tensor

from clip_hparam.config.recipe import Encoder, Recipe
from clip_hparam.data.dataset import TRAIN
from clip_hparam.data.loading.loader import LoaderOptions
from clip_hparam.data.loading.pipelines import ImagePipeline, TensorPipeline, TimmPipeline
from clip_hparam.data.loading.wait_clock import WaitClock

BATCH = 50
WEAK = Recipe(
    encoder=Encoder(pixels="clip"), resolution=32, crop_scale=0.5, hflip=0.0, random_erasing=0.25
)
CASES = {
    "crop, erasing": WEAK,
    "crop, erasing, bilinear": replace(WEAK, interpolation="bilinear"),
    "crop, flip, jitter, erasing": replace(WEAK, hflip=0.5, color_jitter=0.4),
}
SHAPES = [(1, 8), (1, 32), (3, 32)]
FULL = replace(WEAK, crop_scale=0.08, hflip=0.5)
RANDOM = replace(FULL, rand_augment="rand-m9-mstd0.5-inc1")
OFFICIAL = {"crop, flip, erasing": FULL, "crop, flip, RandAugment, erasing": RANDOM}
OFFICIAL_SHAPES = [(1, 32), (3, 32), (1, 224), (3, 224)]


def microseconds(batches: Iterator[Tensor]) -> float:
    started = time.process_time()
    images = sum(len(batch) for batch in batches)
    return 1e6 * (time.process_time() - started) / images


def compared(recipe: Recipe, channels: int, side: int, rounds: int) -> dict[str, tuple[float, ...]]:
    """Return the medians of (tensor, timm, timm / tensor) for training and evaluation."""
    shape = (BATCH * (10 if side <= 32 else 1), channels, side, side)
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    index = np.arange(len(images))
    given = (recipe, {TRAIN: images}, LoaderOptions(), WaitClock(""))
    readers: tuple[ImagePipeline, ...] = (TensorPipeline(*given), TimmPipeline(*given))
    train = [
        [
            microseconds(reader.train_batches(epoch, index, index.reshape(-1, BATCH)))
            for reader in readers
        ]
        for epoch in range(rounds)
    ]
    plain = [
        [
            microseconds(reader.eval_batches(TRAIN, index, BATCH, recipe.resolution))
            for reader in readers
        ]
        for _ in range(rounds)
    ]
    return {
        what: tuple(
            median(column)
            for column in zip(*((*row, row[1] / row[0]) for row in table), strict=True)
        )
        for what, table in (("train", train), ("evaluation", plain))
    }


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    torch.set_num_threads(1)
    print(
        "| operations | images | what | tensor, us | timm, us | ratio |\n|---|---|---|---|---|---|"
    )
    cases = [(*case, *shape) for case in CASES.items() for shape in SHAPES]
    cases += [
        (name, replace(recipe, resolution=side), channels, side)
        for name, recipe in OFFICIAL.items()
        for channels, side in OFFICIAL_SHAPES
    ]
    for name, recipe, channels, side in cases:
        images = f"{channels} x {side} x {side} to {recipe.resolution} px"
        for what, (ours, timms, ratio) in compared(recipe, channels, side, rounds).items():
            row = (name, images, what, f"{ours:.0f}", f"{timms:.0f}", f"{ratio:.1f}")
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
