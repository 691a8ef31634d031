"""CPU time to read JPEG files of 500 x 375 px into batches of 224 px, both backends, one thread.

python benchmarks/files.py [ROUNDS]     prints Markdown rows; compare the ratios

Decoding is in all times. timm's loader, which ships 8-bit pixels and normalises on the device, is
the third contender in training and in evaluation. All work is done in this process.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from PIL import Image
from timm.data import create_loader
from torch import Tensor

from clip_hparam.config.recipe import Encoder, Recipe
from clip_hparam.data.dataset import TRAIN, ImageFiles
from clip_hparam.data.loading.loader import LoaderOptions
from clip_hparam.data.loading.pipelines import ImagePipeline, TensorPipeline, TimmPipeline
from clip_hparam.data.loading.requests import open_image
from clip_hparam.data.loading.wait_clock import WaitClock
from clip_hparam.model.normalization import CLIP_MEAN, CLIP_STD

IMAGES, BATCH, SIDE = 64, 32, 224
PLAIN = Recipe(encoder=Encoder(pixels="clip"), resolution=SIDE, random_erasing=0.25)
CASES = {"crop, flip, erasing": PLAIN, "the same and jitter": replace(PLAIN, color_jitter=0.4)}
Read = Callable[[], Iterator[Tensor]]


class Files(torch.utils.data.Dataset[Any]):
    """The files as timm reads a data set."""

    def __init__(self, images: ImageFiles) -> None:
        self.images, self.transform = images, None

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Any:
        image: Any = open_image(self.images, index)
        return (self.transform(image) if self.transform else image), 0


def write_jpegs(folder: Path) -> ImageFiles:
    """Write pictures with structure at all scales, so that their size is that of photographs."""
    generator = np.random.default_rng(0)
    names = []
    for number in range(IMAGES):
        levels = np.zeros((375, 500, 3))
        for scale in (4, 16, 64, 256):
            noise = generator.normal(0, 30, (375 // scale + 2, 500 // scale + 2, 3))
            big = Image.fromarray((noise + 128).clip(0, 255).astype(np.uint8)).resize((500, 375))
            levels += np.asarray(big) / 4.0
        names.append(f"{number}.jpg".encode())
        Image.fromarray(levels.astype(np.uint8)).save(folder / names[-1].decode(), quality=90)
    return ImageFiles(folder, np.array(names, np.bytes_))


def timm_loader(images: ImageFiles, recipe: Recipe, training: bool) -> Read:
    """Return one pass of timm's loader, with normalised batches."""
    loader = create_loader(
        Files(images),  # type: ignore[arg-type]
        (3, SIDE, SIDE),
        BATCH,
        is_training=training,
        use_prefetcher=False,
        scale=(recipe.crop_scale, 1.0),
        hflip=recipe.hflip,
        color_jitter=recipe.color_jitter or None,  # type: ignore[arg-type]
        re_prob=recipe.random_erasing,
        re_mode="pixel",
        interpolation=recipe.interpolation,
        mean=CLIP_MEAN,
        std=CLIP_STD,
        crop_pct=1.0,
        num_workers=0,
        persistent_workers=False,
    )
    return lambda: (pixels for pixels, _ in loader)


def contenders(images: ImageFiles, recipe: Recipe, training: bool) -> dict[str, Read]:
    """Return a pass over the files by each contender."""
    given = (recipe, {TRAIN: images}, LoaderOptions(), WaitClock(""))
    index = np.arange(IMAGES)

    def read(pipeline: ImagePipeline) -> Read:
        if training:
            return lambda: pipeline.train_batches(0, index, index.reshape(-1, BATCH))
        return lambda: pipeline.eval_batches(TRAIN, index, BATCH, SIDE)

    return {
        "tensor": read(TensorPipeline(*given)),  # type: ignore[arg-type]
        "timm": read(TimmPipeline(*given)),  # type: ignore[arg-type]
        "timm's own loader": timm_loader(images, recipe, training),
    }


def milliseconds(read: Read) -> float:
    started = time.process_time()
    images = sum(len(batch) for batch in read())
    return 1e3 * (time.process_time() - started) / images


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    torch.set_num_threads(1)
    print("| what | tensor, CPU ms an image | timm | ratio | timm's loader | ratio |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        images = write_jpegs(Path(folder))
        for name, recipe, training in (
            *((name, recipe, True) for name, recipe in CASES.items()),
            ("evaluation", PLAIN, False),
        ):
            reads = contenders(images, recipe, training)
            times = [[milliseconds(read) for read in reads.values()] for _ in range(rounds + 1)][1:]
            ours, *others = (median(one) for one in zip(*times, strict=True))
            ratios = [median(row[peer] / row[0] for row in times) for peer in (1, 2)]
            cells = [
                f"{other:.2f} | {ratio:.2f}" for other, ratio in zip(others, ratios, strict=True)
            ]
            print(f"| {name} | {ours:.2f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
