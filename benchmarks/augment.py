"""Speed of both augmentation backends on the same images: CPU microseconds per image, one thread.

python benchmarks/augment.py [ROUNDS] [--few]     prints Markdown rows; compare the ratios

Rounds of both backends alternate; a ratio is the median of the ratios of the rounds. Images are in
memory: timm converts an array to a PIL image, and nothing is decoded. --few: the first shape of
each case alone.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from rows import Row, ratio_of, row_of, to_markdown
from torch import Tensor

from clip_hparam.config.recipe import Encoder, Recipe
from clip_hparam.data.dataset import TRAIN
from clip_hparam.data.loading.loader import LoaderOptions
from clip_hparam.data.loading.pipelines import ImagePipeline, TensorPipeline, TimmPipeline
from clip_hparam.data.loading.wait_clock import WaitClock

QUICK = ["1", "--few"]
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


def compared(
    recipe: Recipe, channels: int, side: int, rounds: int
) -> dict[str, list[tuple[float, float]]]:
    """Return the times of (tensor, timm) in each round, for training and evaluation."""
    shape = (BATCH * (10 if side <= 32 else 1), channels, side, side)
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    index = np.arange(len(images))
    given = (recipe, {TRAIN: images}, LoaderOptions(), WaitClock(""))
    readers: tuple[ImagePipeline, ...] = (TensorPipeline(*given), TimmPipeline(*given))

    def times(read: Callable[[ImagePipeline], Iterator[Tensor]]) -> tuple[float, float]:
        ours, timms = (microseconds(read(reader)) for reader in readers)
        return ours, timms

    batches, size = index.reshape(-1, BATCH), recipe.resolution
    return {
        "train": [times(lambda one: one.train_batches(n, index, batches)) for n in range(rounds)],  # noqa: B023
        "evaluation": [
            times(lambda one: one.eval_batches(TRAIN, index, BATCH, size)) for _ in range(rounds)
        ],
    }


def main() -> list[Row]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", type=int, nargs="?", default=15)
    parser.add_argument("--few", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    number = 1 if asked.few else None
    cases = [(*case, *shape) for case in CASES.items() for shape in SHAPES[:number]]
    cases += [
        (name, replace(recipe, resolution=side), channels, side)
        for name, recipe in OFFICIAL.items()
        for channels, side in OFFICIAL_SHAPES[:number]
    ]
    rows: list[Row] = []
    for name, recipe, channels, side in cases:
        for what, times in compared(recipe, channels, side, asked.rounds).items():
            shape = f"{channels} x {side} x {side} to {recipe.resolution} px"
            ours, timms = zip(*times, strict=True)
            title = f"augment: {name}, {shape}, {what}"
            rows += [
                row_of(title, ours, "CPU us an image"),
                ratio_of(f"{title}, x timm", ours, timms, "timm"),
            ]
            print("\n".join(map(str, rows[-2:])), flush=True)
    return rows


if __name__ == "__main__":
    print(to_markdown(main()))
