"""TimmPipeline: images are a function of (seed, epoch, position); errors name the file."""

import multiprocessing
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support import image_folders
from torch import Tensor

from clip_hparam.config.recipe import Encoder, Recipe
from clip_hparam.data.dataset import ImageFiles, Images
from clip_hparam.data.image_folder import load_imagenet
from clip_hparam.data.loader import TimmPipeline
from clip_hparam.data.reading.errors import UnreadableImageError

OFFICIAL = Recipe(
    encoder=Encoder(pixels="clip"),
    resolution=32,
    hflip=0.5,
    rand_augment="rand-m9-mstd0.5-inc1",
    random_erasing=0.25,
    augment_backend="timm",
)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Images:
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))
    return load_imagenet(image_folders.imagenet(tmp_path / "images", train=15)).train


def epoch(
    images: Images, workers: int = 0, first: int = 0, seed: int = 0, index: int = 0
) -> Tensor:
    reader = TimmPipeline(replace(OFFICIAL, seed=seed), workers)
    batches = np.arange(40).reshape(2, 20)[first:]
    read = reader.train_batches(images, index, np.arange(45)[::-1].copy(), batches)
    return torch.stack(list(read))


def test_two_workers_yield_the_bits_of_no_workers(files: Images) -> None:
    assert torch.equal(epoch(files, workers=2), epoch(files, workers=0))


def test_images_are_a_function_of_seed_epoch_and_position(files: Images) -> None:
    assert torch.equal(epoch(files), epoch(files))
    assert torch.equal(epoch(files, first=1), epoch(files)[1:])
    assert not torch.equal(epoch(files), epoch(files, seed=1))
    assert not torch.equal(epoch(files), epoch(files, index=1))


def test_same_image_differs_by_position() -> None:
    images = np.arange(64, dtype=np.uint8).reshape(1, 1, 8, 8)
    batch = next(
        TimmPipeline(OFFICIAL, 0).train_batches(images, 0, np.zeros(10, int), np.arange(10)[None])
    )
    assert len({image.numpy().tobytes() for image in batch}) == 10


def test_global_generators_are_restored(files: Images) -> None:
    def states() -> tuple[object, bytes, bytes]:
        legacy = np.random.get_state()[1]  # noqa: NPY002
        return random.getstate(), legacy.tobytes(), torch.get_rng_state().numpy().tobytes()

    before = states()
    epoch(files)
    assert states() == before


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("damage", ["text", "cut", "empty", "gone"])
def test_unreadable_image_raises_an_error_that_names_the_file(
    files: ImageFiles, workers: int, damage: str
) -> None:
    path = files.path(30)
    content = path.read_bytes()
    path.write_bytes({"text": b"no image", "cut": content[:200]}.get(damage, b""))
    if damage == "gone":
        path.unlink()
    with pytest.raises(UnreadableImageError, match="cannot be read as an image") as error:
        epoch(files, workers)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert not multiprocessing.active_children()


def test_grey_and_transparent_files_have_three_channels(tmp_path: Path) -> None:
    for mode in ("L", "RGBA", "1", "P", "CMYK"):
        Image.new(mode, (20, 30)).save(tmp_path / f"{mode}.tif")
    paths = sorted(path.name.encode() for path in tmp_path.iterdir())
    images = ImageFiles(tmp_path, np.array(paths, np.bytes_))
    batch = next(TimmPipeline(OFFICIAL, 0).eval_batches(images, np.arange(len(paths)), 8, 32))
    assert batch.shape == (5, 3, 32, 32)
