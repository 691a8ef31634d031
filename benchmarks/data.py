"""Fingerprint of a large folder against torchvision's listing, and memory over epochs of files.

python benchmarks/data.py [FILES] [ROUNDS]     default 100,000 files in 100 classes, 3 rounds

CPU time of this process, rounds interleaved. cold: nothing is cached but by the disk; warm:
the index is in the user's cache. The files are links to one JPEG: only names, sizes and headers are
read. Memory: largest resident size after the second of two epochs over the first after the warm-up.
"""

import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from rows import Row, ratio_of, row_of
from torchvision.datasets import ImageFolder

from clip_hparam.config.recipe import Encoder, Recipe
from clip_hparam.data.dataset import TRAIN
from clip_hparam.data.folders.labelled_folder import LabelledFolder, read_labelled_folder
from clip_hparam.data.loading.loader import LoaderOptions
from clip_hparam.data.loading.pipelines import TensorPipeline
from clip_hparam.data.loading.wait_clock import WaitClock

CLASSES, BATCH, SIDE = 100, 32, 64
SETTLE_SECONDS = 2.5  # an index of folders that changed just now is not cached
QUICK = ["500", "1"]


def grow(root: Path, files: int) -> None:
    """Write links to one image in class folders; new files where a link count is used up."""
    noise = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    for label in range(CLASSES):
        folder = root / f"class_{label:03}"
        folder.mkdir(parents=True)
        Image.fromarray(noise).save(folder / "0.jpg")
        for number in range(1, files // CLASSES):
            os.link(folder / "0.jpg", folder / f"{number}.jpg")


def cpu_seconds(work: Callable[[], Any]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def identify(root: Path) -> LabelledFolder:
    """Return the folder, after its fingerprint and its labels were computed."""
    folder = read_labelled_folder(root)
    folder.labels(folder.classes)
    assert folder.identity
    return folder


def fingerprint_rows(root: Path, cache: Path, files: int, rounds: int) -> list[Row]:
    cold, warm, peer = [], [], []
    for _ in range(rounds):
        shutil.rmtree(cache, ignore_errors=True)
        cold.append(cpu_seconds(lambda: identify(root)))
        warm.append(cpu_seconds(lambda: identify(root)))
        peer.append(cpu_seconds(lambda: ImageFolder(root)))
    name = f"data: fingerprint of {files:,} files"
    return [
        row_of(f"{name}, cold, CPU time", cold, "s"),
        row_of(f"{name}, warm, CPU time", warm, "s"),
        ratio_of(f"{name}, warm", warm, peer, "torchvision's ImageFolder"),
    ]


def memory_row(root: Path, images: int) -> Row:
    """Return the growth of the largest resident size over two epochs after a first one."""
    recipe = Recipe(encoder=Encoder(pixels="clip"), resolution=SIDE)
    files = identify(root).files
    options = LoaderOptions(0, BATCH, SIDE, torch.device("cpu"))
    pipeline = TensorPipeline(recipe, {TRAIN: files}, options, WaitClock(""))  # type: ignore[arg-type]
    index = np.arange(images)
    peaks = []
    for epoch in range(3):
        for _ in pipeline.train_batches(epoch, index, index.reshape(-1, BATCH)):
            pass
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return row_of("data: memory that two more epochs add", [peaks[2] - peaks[0]], "MiB")


def main() -> list[Row]:
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as folder:
        root, cache = Path(folder) / "images", Path(folder) / "cache"
        os.environ["CLIP_HPARAM_CACHE"] = str(cache)
        grow(root, files)
        time.sleep(SETTLE_SECONDS)
        rows = fingerprint_rows(root, cache, files, rounds)
        images = min(files, 2_048) // BATCH * BATCH
        return [*rows, memory_row(root, images)]


if __name__ == "__main__":
    for row in main():
        print(f"{row.name}: {row.median:.3g} {row.unit} {row.peer}")
