"""CPU time of training with RandAugment from images in memory: the product and two peers.

python benchmarks/end_to_end.py [ROUNDS] [--widths 64 192] [--eager]     prints Markdown rows

Each round trains some steps with each contender on one thread; a ratio is that of the same round.
official-style and timm-style do the steps of step.py. Their images are augmented one by one with
PIL: by timm's transforms in torch's DataLoader, and by timm's create_loader, which normalises and
erases batches. Both without worker processes, and with RandAugment's posterize repaired, which
otherwise raises. The product augments batches. --eager leaves out the compiled product.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

import numpy as np
import torch
from PIL import Image
from rows import Row, ratio_of, row_of, to_markdown
from step import CASES, CLASSES, CPU, RECIPE, Case, peer, product_state
from timm.data import create_loader
from timm.data.auto_augment import RandAugment

from clip_hparam.config.recipe import Encoder, Recipe
from clip_hparam.data.batches import Batches
from clip_hparam.data.dataset import TEST, EvalSet, ImageDataset
from clip_hparam.data.transforms.mixup import soft_targets
from clip_hparam.data.transforms.timm_pipeline import posterize, train_transform
from clip_hparam.model.normalization import NORMALIZATIONS
from clip_hparam.training.compilation.compiler import why_not
from clip_hparam.training.engine import train_epoch

QUICK = ["1", "--widths", "64", "--eager"]
STEPS = {64: 20, 192: 4}  # of a round, by width
OFFICIAL = "official-style, fp32"
Epoch = Callable[[], object]


def recipe_of(case: Case) -> Recipe:
    """Return the published augmentation without mixing, which would cost all the same."""
    images = STEPS[case.width] * case.batch
    return replace(
        RECIPE,
        encoder=Encoder(pixels="clip"),
        data=replace(RECIPE.data, shots=0, selection=1, epoch_images=images),
        batch_size=case.batch,
        resolution=case.px,
        rand_augment="rand-m9-mstd0.5-inc1",
        random_erasing=0.25,
        augment_backend="tensor",
        mix_pairs="mirrored",
        ema_decay=float(RECIPE.ema_decay),
    )


def dataset_of(case: Case) -> ImageDataset:
    """Return smooth coloured images, three channels, an epoch of them and the selection set."""
    generator = np.random.default_rng(0)
    number = STEPS[case.width] * case.batch + CLASSES
    coarse = generator.integers(0, 256, (number, 4, 4, 3), np.uint8)
    side = (case.px, case.px)
    pixels = np.stack([np.asarray(Image.fromarray(one).resize(side)) for one in coarse])
    images = pixels.transpose(0, 3, 1, 2).copy()
    labels = np.arange(number) % CLASSES
    names = tuple(map(str, range(CLASSES)))
    test = {TEST: EvalSet(images[:CLASSES], labels[:CLASSES])}
    return ImageDataset(names, images, labels, test, "generated")


class PilImages(torch.utils.data.Dataset[Any]):
    """Images and labels as a transform of PIL images reads them."""

    def __init__(self, dataset: ImageDataset, transform: Callable[[Image.Image], Any] | None):
        assert isinstance(dataset.train, np.ndarray)
        self.pixels = dataset.train[:-CLASSES].transpose(0, 2, 3, 1)
        self.labels, self.transform = dataset.train_labels, transform

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        image = Image.fromarray(np.ascontiguousarray(self.pixels[index]))
        return self.transform(image) if self.transform else image, int(self.labels[index])


def official_loader(dataset: ImageDataset, recipe: Recipe) -> Any:
    images = PilImages(dataset, train_transform(recipe))  # type: ignore[arg-type]
    return torch.utils.data.DataLoader(images, recipe.batch_size, shuffle=True, drop_last=True)


def timm_loader(dataset: ImageDataset, recipe: Recipe) -> Any:
    side = int(recipe.resolution)
    mean, std = NORMALIZATIONS["clip"]
    loader = create_loader(
        PilImages(dataset, None),  # type: ignore[arg-type]
        (3, side, side),
        recipe.batch_size,
        is_training=True,
        scale=(recipe.crop_scale, 1.0),
        hflip=recipe.hflip,
        auto_augment=recipe.rand_augment,
        re_prob=recipe.random_erasing,
        re_mode="pixel",
        interpolation=recipe.interpolation,
        mean=mean,
        std=std,
        num_workers=0,
        persistent_workers=False,
        device=CPU,
    )
    for step in loader.dataset.transform.transforms:
        for operation in step.ops if isinstance(step, RandAugment) else []:
            if operation.name.startswith("Posterize"):
                operation.aug_fn = partial(posterize, operation.aug_fn)
    return loader


def peer_epoch(case: Case, style: str, loader: Any) -> Epoch:
    step = peer(case, "fp32", style)

    def train() -> None:
        for images, labels in loader:
            step(images, soft_targets(labels, CLASSES, RECIPE.label_smoothing))

    return train


def product_epoch(case: Case, dataset: ImageDataset, precision: str, compile_: str) -> Epoch:
    batches = Batches(recipe_of(case), dataset)  # type: ignore[arg-type]
    state = product_state(case, precision, "fused", compile_)
    epochs = count()
    return lambda: train_epoch(state, batches, next(epochs), 0)


def contenders(case: Case, compiled: bool) -> dict[str, Epoch]:
    """Return what trains one epoch, by contender."""
    dataset, recipe = dataset_of(case), recipe_of(case)
    epochs: dict[str, Epoch] = {
        OFFICIAL: peer_epoch(case, "official", official_loader(dataset, recipe)),
        "timm-style, fp32": peer_epoch(case, "timm", timm_loader(dataset, recipe)),
    }
    for precision in ("fp32", "bf16"):
        epochs[f"product, {precision}"] = product_epoch(case, dataset, precision, "off")
        if compiled:
            made = product_epoch(case, dataset, precision, "on")
            epochs[f"product, {precision} + compile"] = made
    return epochs


def measure(case: Case, rounds: int, compiled: bool) -> dict[str, list[float]]:
    """Return CPU microseconds an image in each round, after one that warms up."""
    epochs = contenders(case, compiled)
    images = STEPS[case.width] * case.batch
    times: dict[str, list[float]] = {name: [] for name in epochs}
    for _ in range(rounds + 1):
        for name, train in epochs.items():
            started = time.process_time()
            train()
            times[name].append(1e6 * (time.process_time() - started) / images)
    return {name: values[1:] for name, values in times.items()}


def rows_of(case: Case, times: dict[str, list[float]]) -> Iterator[Row]:
    what = f"end to end: width {case.width}, patch {case.patch}, RandAugment"
    yield row_of(f"{what}, {OFFICIAL}", times[OFFICIAL], "CPU us an image")
    for name, values in times.items():
        for against in ("official-style, fp32", "timm-style, fp32"):
            if name != against and (name.startswith("product") or against == OFFICIAL):
                yield ratio_of(f"{what}, {name}, x {against}", values, times[against], against)


def main() -> list[Row]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", type=int, nargs="?", default=9)
    parser.add_argument("--widths", type=int, nargs="+", default=[64, 192])
    parser.add_argument("--eager", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    compiled = not asked.eager and not why_not("cpu")
    rows: list[Row] = []
    for case in (case for case in CASES if case.width in asked.widths):
        found = list(rows_of(case, measure(case, asked.rounds, compiled)))
        print("\n".join(map(str, found)), flush=True)
        rows += found
    return rows


if __name__ == "__main__":
    print(to_markdown(main()))
