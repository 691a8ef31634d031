"""Fingerprints of large data sets, loading against timm's loader, and memory over epochs.

python benchmarks/data.py [FILES] [ROUNDS]     default 100,000 files in 100 classes, 3 rounds

CPU time of this process, rounds interleaved. cold: nothing is cached but by the disk; warm: the
index is in the user's cache. The files of the fingerprints are links to one JPEG, and all images of
the shards are the same: only names, sizes and headers are read. Loading reads JPEG files of
500 x 375 px into augmented, normalised batches of 224 px: decode and the whole training transform,
in this process, from a tree, from shards and from Parquet files, and by timm's loader from a
tree. Memory: how much the largest resident size grows in two epochs that follow two others.
"""

import io
import json
import os
import resource
import shutil
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from files import BATCH, SIDE, write_jpegs
from PIL import Image
from pyarrow import parquet
from rows import Row, ratio_of, row_of
from timm.data import create_dataset
from timm_peer import timm_loader
from torchvision.datasets import ImageFolder

from clip_hparam.config.recipe import Encoder, Recipe
from clip_hparam.data.dataset import TRAIN, ImageFiles
from clip_hparam.data.folders.labelled_folder import LabelledFolder, read_labelled_folder
from clip_hparam.data.image_folder import load_image_folder
from clip_hparam.data.loading.loader import LoaderOptions
from clip_hparam.data.loading.pipelines import TensorPipeline
from clip_hparam.data.loading.wait_clock import WaitClock
from clip_hparam.data.packs.load import load_parquet, load_shards

CLASSES, SHARDS = 100, 10
LOADED = 2  # copies of the 64 pictures of files.py that are loaded
SETTLE_SECONDS = 2.5  # an index of files that changed just now is not cached
QUICK = ["500", "1"]
RECIPE = Recipe(encoder=Encoder(pixels="clip"), resolution=SIDE, random_erasing=0.25)


def grow_tree(root: Path, image: bytes, files: int) -> None:
    """Write links to one image in class folders; a new file for each, as links are limited."""
    for label in range(CLASSES):
        folder = root / f"class_{label:03}"
        folder.mkdir(parents=True)
        (folder / "0.jpg").write_bytes(image)
        for number in range(1, files // CLASSES):
            os.link(folder / "0.jpg", folder / f"{number}.jpg")


def grow_shards(root: Path, images: list[bytes], files: int, shards: int = SHARDS) -> None:
    """Write shards with a member .cls for each image."""
    root.mkdir(parents=True)
    for shard in range(shards):
        with tarfile.open(root / f"train-{shard:05}.tar", "w") as tar:
            for number in range(shard, files, shards):
                label = str(number % min(CLASSES, files // 4)).encode()
                for suffix, content in (("jpg", images[number % len(images)]), ("cls", label)):
                    info = tarfile.TarInfo(f"{number:08}.{suffix}")
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))


def grow_parquet(root: Path, images: list[bytes]) -> None:
    """Write a file as the library datasets does, in row groups of 100 images."""
    root.mkdir(parents=True)
    rows = [{"bytes": image, "path": f"{number}.jpg"} for number, image in enumerate(images)]
    names = [f"class {number}" for number in range(2)]
    features = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": names}}
    struct = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    metadata = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    schema = pa.schema([("image", struct), ("label", pa.int64())], metadata)
    labels = [number % 2 for number in range(len(rows))]
    table = pa.table({"image": pa.array(rows, struct), "label": labels}, schema=schema)
    parquet.write_table(table, root / "train-00000-of-00001.parquet", row_group_size=100)


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


def identify_shards(root: Path) -> None:
    load_shards.cache_clear()
    assert load_shards(root).fingerprint


def fingerprint_rows(folder: Path, cache: Path, files: int, rounds: int) -> list[Row]:
    tree, shards = folder / "tree", folder / "shards"
    noise = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "JPEG")
    grow_tree(tree, buffer.getvalue(), files)
    grow_shards(shards, [buffer.getvalue()], files)
    time.sleep(SETTLE_SECONDS)
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        shutil.rmtree(cache, ignore_errors=True)
        for state in ("cold", "warm"):
            for name, work in (("files", identify), ("images in shards", identify_shards)):
                root = tree if name == "files" else shards
                spent = cpu_seconds(partial(work, root))
                times.setdefault(f"{files:,} {name}, {state}", []).append(spent)
        times.setdefault("peer", []).append(cpu_seconds(lambda: ImageFolder(tree)))
    peer = times.pop("peer")
    rows = [row_of(f"data: fingerprint of {name}", spent, "s") for name, spent in times.items()]
    peers = "torchvision's ImageFolder, which lists the tree"
    ratios = [name for name in times if name.endswith("warm")]
    names = [f"data: fingerprint of {name}, ratio" for name in ratios]
    return [
        *rows,
        *(ratio_of(one, times[name], peer, peers) for one, name in zip(names, ratios, strict=True)),
    ]


def pictures(folder: Path) -> list[bytes]:
    """Return JPEG files of 500 x 375 px."""
    files = write_jpegs(folder)
    return [files.path(index).read_bytes() for index in range(len(files))] * LOADED


def grow_loaded(folder: Path, images: list[bytes]) -> dict[str, ImageFiles]:
    """Write the pictures in three layouts; return the training images of each."""
    tree = folder / "photos"
    for number, image in enumerate(images):
        place = tree / f"class_{number % 2}" / f"{number:05}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(image)
    grow_shards(folder / "loaded", images, len(images), 4)
    grow_parquet(folder / "parquet", images)
    loaded = {
        "a tree": load_image_folder(tree),
        "shards": load_shards(folder / "loaded"),
        "Parquet files": load_parquet(folder / "parquet"),
    }
    found = {name: dataset.train for name, dataset in loaded.items()}
    return {name: files for name, files in found.items() if isinstance(files, ImageFiles)}


def epoch(pipeline: TensorPipeline, number: int, images: int) -> int:
    """Read an epoch in random order; return its number of images."""
    used = images // BATCH * BATCH
    index = np.random.default_rng(number).permutation(images)[:used]
    batches = np.arange(used).reshape(-1, BATCH)
    return sum(len(batch) for batch in pipeline.train_batches(number, index, batches))


def timm_images(root: Path) -> Callable[[], Iterator[Any]]:
    """Return one pass of timm's loader over a tree, with the same transform."""
    loader = timm_loader(create_dataset("", str(root)), RECIPE, SIDE, BATCH)
    return lambda: iter(loader)


def milliseconds(read: Callable[[], int]) -> float:
    """Return the CPU time of an image."""
    started = time.process_time()
    images = read()
    return 1e3 * (time.process_time() - started) / images


def loading_rows(folder: Path, rounds: int) -> list[Row]:
    """Return the CPU time of an image of each layout, and the growth of memory over two epochs."""
    sets = grow_loaded(folder, pictures(folder))
    pipelines = {
        name: TensorPipeline(RECIPE, {TRAIN: files}, LoaderOptions(), WaitClock(""))  # type: ignore[arg-type]
        for name, files in sets.items()
    }
    timms = timm_images(folder / "photos")
    times: dict[str, list[float]] = {name: [] for name in (*pipelines, "timm")}
    growth: dict[str, float] = {}
    for name, pipeline in pipelines.items():
        for number in range(4):
            if number == 2:
                before = resident_mib()
            epoch(pipeline, number, len(sets[name]))
        growth[name] = resident_mib() - before
    for number in range(rounds):
        for name, pipeline in pipelines.items():
            read = partial(epoch, pipeline, number, len(sets[name]))
            times[name].append(milliseconds(read))
        times["timm"].append(milliseconds(lambda: sum(len(batch) for batch, _ in timms())))
    return [
        *(row_of(f"data: load {name}", spent, "ms an image") for name, spent in times.items()),
        *(
            ratio_of(f"data: load {name}, ratio", times[name], times["timm"], "timm's loader")
            for name in pipelines
        ),
        *(
            row_of(f"data: memory that two more epochs of {name} add", [grown], "MiB")
            for name, grown in growth.items()
        ),
    ]


def resident_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> list[Row]:
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder, cache = Path(name), Path(name) / "cache"
        os.environ["CLIP_HPARAM_CACHE"] = str(cache)
        loading = loading_rows(folder, rounds)
        return [*fingerprint_rows(folder, cache, files, rounds), *loading]


if __name__ == "__main__":
    for row in main():
        print(f"{row.name}: {row.median:.3g} {row.unit} {row.peer}")
