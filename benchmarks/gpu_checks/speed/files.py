"""Training from JPEG files: images a second, and the share of the time spent waiting for images."""

import time
from functools import partial
from typing import Any

import numpy as np
import step as peers
import torch
from timm.data import create_loader  # type: ignore[attr-defined]

from clip_hparam.data.dataset import ImageFiles
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.loading.read_request import open_image
from clip_hparam.data.loading.worker_count import cores_of_rank
from clip_hparam.data.transforms.mixup import soft_targets
from clip_hparam.model.normalization import CLIP_MEAN, CLIP_STD
from clip_hparam.training.throughput import synchronize
from gpu_checks.check import Figure, Finding, Setup, Task, passed
from gpu_checks.epochs import StepClock, train_steps
from gpu_checks.inputs import B16, TINY, folder_recipe, state_of
from gpu_checks.speed.throughput import CONTENDERS, OFFICIAL, PRODUCT, SIZES, SMALL

WARM_UP, STEPS = 5, 12
SMALL_STEPS = (1, 2)
AUGMENTATION = {"random_erasing": 0.25}  # timm 1.0.31's RandAugment raises with a new Pillow
PRECISION = "bf16"


class Repeated(torch.utils.data.Dataset[Any]):
    """The files as timm reads a data set, over and over."""

    def __init__(self, images: ImageFiles, length: int) -> None:
        self.images, self.length = images, length
        self.transform: Any = None  # set by timm

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Any:
        return self.transform(open_image(self.images, index % len(self.images))), 0


def from_files(setup: Setup, contender: str) -> Finding:
    """Train from files with one worker for each core but one."""
    warm_up, steps = (WARM_UP, STEPS) if setup.on_gpu else SMALL_STEPS
    case = (SIZES["B/16 224"] if setup.on_gpu else SMALL).case
    workers = cores_of_rank(1) - 1 if setup.on_gpu else 1
    seconds, waited = (
        _product(setup, case.batch, warm_up, steps, workers)
        if contender == PRODUCT
        else _peer(setup, contender, warm_up, steps, workers)
    )
    figures: dict[str, Figure] = {
        "img/s": round(case.batch * steps / seconds, 1),
        "wait %": round(100 * waited / seconds, 1),
        "workers": workers,
    }
    return passed("", **figures)


def _product(
    setup: Setup, batch: int, warm_up: int, steps: int, workers: int
) -> tuple[float, float]:
    """Return the seconds of the steps, and how many of them were spent waiting."""
    name, resolution = (B16, 224) if setup.on_gpu else (TINY, 32)
    recipe = folder_recipe(
        setup,
        name,
        resolution,
        precision=PRECISION,
        batch_size=batch,
        drop_path=0.0,
        **{"data.epoch_images": batch * (warm_up + steps + 3)},
        **AUGMENTATION,
    )
    clock = StepClock(setup.device, warm_up, steps)
    train_steps(state_of(recipe, setup.device, classes=4), recipe, clock, workers)
    return clock.seconds, clock.waited


def _peer(
    setup: Setup, contender: str, warm_up: int, steps: int, workers: int
) -> tuple[float, float]:
    case = (SIZES["B/16 224"] if setup.on_gpu else SMALL).case
    step = peers.peer(
        case, PRECISION, "official" if contender == OFFICIAL else "timm", setup.device
    )
    labels = torch.zeros(case.batch, dtype=torch.int64, device=setup.device)
    targets = soft_targets(labels, peers.CLASSES, 0.1)
    read = iter(_loader(setup, case, warm_up + steps, workers))
    started = waited = 0.0
    for number in range(warm_up + steps):
        if number == warm_up:
            synchronize(setup.device)
            started, waited = time.perf_counter(), 0.0
        asked = time.perf_counter()
        images, _ = next(read)
        waited += time.perf_counter() - asked
        step(images.to(setup.device, non_blocking=True), targets)
    synchronize(setup.device)
    return time.perf_counter() - started, waited


def _loader(setup: Setup, case: peers.Case, batches: int, workers: int) -> Any:
    """Return timm's loader, whose workers do all for an image."""
    files = folder_recipe(setup, TINY, 32).data
    images = load_dataset(files).train
    assert not isinstance(images, np.ndarray)
    return create_loader(
        Repeated(images, case.batch * batches),  # type: ignore[arg-type]
        (3, case.px, case.px),
        case.batch,
        is_training=True,
        use_prefetcher=False,
        scale=(0.08, 1.0),
        hflip=0.5,
        color_jitter=None,  # type: ignore[arg-type]
        re_prob=AUGMENTATION["random_erasing"],
        re_mode="pixel",
        interpolation="bicubic",
        mean=CLIP_MEAN,
        std=CLIP_STD,
        num_workers=workers,
        pin_memory=setup.on_gpu,
        persistent_workers=False,
    )


TASKS = tuple(
    Task(f"files: B/16 224 {PRECISION} {contender}", 20, partial(from_files, contender=contender))
    for contender in CONTENDERS
)
