"""CPU time to read JPEG files of 500 x 375 px into batches of 224 px, both backends, one thread.

python benchmarks/files.py [ROUNDS]     prints Markdown rows; compare the ratios

All work is done in this process, and decoding is in all times. "in a worker" is the part of the
tensor backend that worker processes do: decode, crop and resize; the rest is done by the process of
the trial, or its GPU. timm's transforms, and the DataLoader of timm's create_loader, do all in the
workers.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from rows import Row, ratio_of, row_of, to_markdown
from timm_peer import timm_loader
from torch import Tensor

from clip_hparam.config.recipe import Encoder, Recipe
from clip_hparam.data.dataset import TRAIN, ImageFiles
from clip_hparam.data.loading.crop_reader import CropReader
from clip_hparam.data.loading.loader import ImageLoader, LoaderOptions
from clip_hparam.data.loading.pipelines import ImagePipeline, TensorPipeline, TimmPipeline
from clip_hparam.data.loading.read_request import ReadRequest, open_image
from clip_hparam.data.loading.wait_clock import WaitClock
from clip_hparam.data.transforms.random_boxes import DRAWS_PER_BOX
from clip_hparam.rng import uniform

QUICK = ["1"]
IMAGES, BATCH, SIDE = 64, 32, 224
PLAIN = Recipe(encoder=Encoder(pixels="clip"), resolution=SIDE, random_erasing=0.25)
CASES = {
    "crop, flip, erasing": PLAIN,
    "the same and RandAugment": replace(PLAIN, rand_augment="rand-m9-mstd0.5-inc1"),
}
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


def timm_batches(images: ImageFiles, recipe: Recipe, training: bool) -> Read:
    """Return one pass of timm's loader, with normalised batches."""
    loader = timm_loader(Files(images), recipe, SIDE, BATCH, training)
    return lambda: (pixels for pixels, _ in loader)


def in_worker(images: ImageFiles, recipe: Recipe, training: bool) -> Read:
    """Return a pass over the files by the part of the tensor backend that workers do."""
    index = np.arange(IMAGES)
    draws = uniform(0, 0, "crop", IMAGES, DRAWS_PER_BOX)
    requests = [
        ReadRequest(TRAIN, index[part], draws[part] if training else None, SIDE)
        for part in (slice(start, start + BATCH) for start in range(0, IMAGES, BATCH))
    ]
    reader = CropReader(recipe)  # type: ignore[arg-type]
    loader = ImageLoader({TRAIN: images}, reader, LoaderOptions(), WaitClock(""))
    return lambda: loader.batches(requests)


def contenders(images: ImageFiles, recipe: Recipe, training: bool) -> dict[str, Read]:
    """Return a pass over the files by each contender."""
    given = (recipe, {TRAIN: images}, LoaderOptions(), WaitClock(""))
    index = np.arange(IMAGES)

    def read(pipeline: ImagePipeline) -> Read:
        if training:
            return lambda: pipeline.train_batches(0, index, index.reshape(-1, BATCH))
        return lambda: pipeline.eval_batches(TRAIN, index, BATCH, SIDE)

    return {
        "in a worker": in_worker(images, recipe, training),
        "tensor": read(TensorPipeline(*given)),  # type: ignore[arg-type]
        "timm": read(TimmPipeline(*given)),  # type: ignore[arg-type]
        # timm 1.0.31's RandAugment asks Pillow for 0 bits of posterize, which raises
        **(
            {"timm's own loader": timm_batches(images, recipe, training)}
            if recipe.rand_augment == "none"
            else {}
        ),
    }


def milliseconds(read: Read) -> float:
    started = time.process_time()
    images = sum(len(batch) for batch in read())
    return 1e3 * (time.process_time() - started) / images


def main() -> list[Row]:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    torch.set_num_threads(1)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        images = write_jpegs(Path(folder))
        for name, recipe, training in (
            *((name, recipe, True) for name, recipe in CASES.items()),
            ("evaluation", PLAIN, False),
        ):
            reads = contenders(images, recipe, training)
            times: dict[str, list[float]] = {contender: [] for contender in reads}
            for _ in range(rounds + 1):
                for contender, read in reads.items():
                    times[contender].append(milliseconds(read))
            rows += rows_of(name, {contender: of[1:] for contender, of in times.items()})
    return rows


def rows_of(name: str, times: dict[str, list[float]]) -> list[Row]:
    """Return the time of each contender, and the ratio of timm's to the tensor backend's."""
    what = f"files: {name}, 224 px"
    rows = [row_of(f"{what}, {one}", of, "CPU ms an image") for one, of in times.items()]
    for peer in ("timm", "timm's own loader"):
        if peer in times:
            for ours in ("in a worker", "tensor"):
                rows.append(ratio_of(f"{what}, {ours}, x {peer}", times[ours], times[peer], peer))
    return rows


if __name__ == "__main__":
    print(to_markdown(main()))
