"""Images from files are a function of (seed, epoch, position); errors name the file."""

import errno
import random
from dataclasses import replace
from multiprocessing.context import ForkContext
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support import image_folders
from support.child_processes import ChildProcesses
from support.pipelines import pipeline
from torch import Tensor

from clip_hparam.config.recipe import Encoder, Recipe
from clip_hparam.data.dataset import TEST, TRAIN, ImageFiles, Images
from clip_hparam.data.image_folder import load_imagenet_tree
from clip_hparam.data.loading import device_copy, shared_buffer
from clip_hparam.data.loading.crop_reader import CropReader
from clip_hparam.data.loading.device_copy import DeviceCopy, Transfer
from clip_hparam.data.loading.loader import ImageLoader, LoaderOptions
from clip_hparam.data.loading.read_request import ReadRequest
from clip_hparam.data.loading.shared_buffer import SharedBuffer, SharedMemoryError
from clip_hparam.data.loading.wait_clock import WaitClock
from clip_hparam.data.reading.errors import UnreadableImageError

RECIPE = Recipe(
    encoder=Encoder(pixels="clip"),
    resolution=32,
    hflip=0.5,
    color_jitter=0.3,
    random_erasing=0.25,
)


@pytest.fixture(params=["timm", "tensor"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Images:
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))
    return load_imagenet_tree(image_folders.imagenet(tmp_path / "images", train=15)).train


def epoch(
    backend: str, images: Images, workers: int = 0, first: int = 0, seed: int = 0, index: int = 0
) -> Tensor:
    recipe = replace(RECIPE, seed=seed)
    if backend == "timm":
        recipe = replace(recipe, rand_augment="rand-m9-mstd0.5-inc1")
    reader = pipeline(backend, recipe, images, workers)  # type: ignore[arg-type]
    batches = np.arange(40).reshape(2, 20)[first:]
    try:
        return torch.stack(list(reader.train_batches(index, np.arange(45)[::-1].copy(), batches)))
    finally:
        reader.close()


def test_two_workers_yield_the_bits_of_no_workers(backend: str, files: Images) -> None:
    assert torch.equal(epoch(backend, files, workers=2), epoch(backend, files, workers=0))


def test_images_are_a_function_of_seed_epoch_and_position(backend: str, files: Images) -> None:
    whole = epoch(backend, files)
    assert torch.equal(whole, epoch(backend, files))
    assert torch.equal(epoch(backend, files, first=1), whole[1:])
    assert not torch.equal(whole, epoch(backend, files, seed=1))
    assert not torch.equal(whole, epoch(backend, files, index=1))


def test_same_image_differs_by_position(backend: str, files: Images) -> None:
    reader = pipeline(backend, RECIPE, files)  # type: ignore[arg-type]
    batch = next(reader.train_batches(0, np.zeros(10, int), np.arange(10)[None]))
    assert len({image.numpy().tobytes() for image in batch}) == 10


def test_global_generators_are_restored(backend: str, files: Images) -> None:
    def states() -> tuple[object, bytes, bytes]:
        legacy = np.random.get_state()[1]  # noqa: NPY002
        return random.getstate(), legacy.tobytes(), torch.get_rng_state().numpy().tobytes()

    before = states()
    epoch(backend, files)
    assert states() == before


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("damage", ["text", "cut", "empty", "gone"])
def test_unreadable_image_raises_an_error_that_names_the_file(
    backend: str, files: ImageFiles, workers: int, damage: str
) -> None:
    children = ChildProcesses()
    path = files.path(30)
    content = path.read_bytes()
    path.write_bytes({"text": b"no image", "cut": content[:200]}.get(damage, b""))
    if damage == "gone":
        path.unlink()
    with pytest.raises(UnreadableImageError, match="cannot be read as an image") as error:
        epoch(backend, files, workers)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert not children.living()


def test_grey_and_transparent_files_have_three_channels(backend: str, tmp_path: Path) -> None:
    for mode in ("L", "RGBA", "1", "P", "CMYK"):
        Image.new(mode, (20, 30)).save(tmp_path / f"{mode}.tif")
    paths = sorted(path.name.encode() for path in tmp_path.iterdir())
    images = ImageFiles(tmp_path, np.array(paths, np.bytes_))
    reader = pipeline(backend, RECIPE, images)  # type: ignore[arg-type]
    batch = next(reader.eval_batches(TRAIN, np.arange(len(paths)), 8, 32))
    assert batch.shape == (5, 3, 32, 32)


def test_processes_are_kept_over_epochs_and_evaluations(backend: str, files: Images) -> None:
    reader = pipeline(backend, RECIPE, {TRAIN: files, TEST: files[np.arange(9)]}, workers=2)  # type: ignore[arg-type]
    children, seen = ChildProcesses(), []
    for number in range(3):
        list(reader.train_batches(number, np.arange(45), np.arange(40).reshape(2, 20)))
        seen.append(children.living())
        evaluated = torch.cat(list(reader.eval_batches(TEST, np.arange(9), 4, 32)))
        seen.append(children.living())
        plain = pipeline(backend, RECIPE, {TEST: files[np.arange(9)]})  # type: ignore[arg-type]
        assert torch.equal(
            evaluated, torch.cat(list(plain.eval_batches(TEST, np.arange(9), 9, 32)))
        )
    reader.close()
    assert len(seen[0]) == 2
    assert all(pids == seen[0] for pids in seen)
    assert not children.living()


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_buffer_of_the_workers_is_pinned_for_a_gpu(
    device: str, files: ImageFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(device_copy, "_create_stream", lambda device: object())
    monkeypatch.setattr(
        DeviceCopy,
        "start",
        lambda self, batch, reused: Transfer(batch.clone() if reused else batch),
    )
    monkeypatch.setattr(SharedBuffer, "pin", lambda self: done.append("pinned"))
    monkeypatch.setattr(SharedBuffer, "unpin", lambda self: done.append("unpinned"))
    options = LoaderOptions(1, 20, 32, torch.device(device))
    reader = CropReader(RECIPE)  # type: ignore[arg-type]
    loader = ImageLoader({TRAIN: files}, reader, options, WaitClock(""))
    for _ in range(2):
        list(loader.batches([ReadRequest(TRAIN, np.arange(20), None, 32)] * 3))
    loader.close()
    assert done == (["pinned", "unpinned"] if device == "cuda" else [])


@pytest.mark.parametrize("error", ["no memory", "no locks"])
def test_too_little_shared_memory_is_one_sentence(
    error: str, files: ImageFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    children = ChildProcesses()

    def fail(*given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if error == "no memory":
        monkeypatch.setattr(shared_buffer, "available_memory", lambda: 2**19)
    else:
        monkeypatch.setattr(ForkContext, "Lock", fail)
    with pytest.raises(SharedMemoryError, match=r"try\s+machine.loader_workers=") as refused:
        epoch("tensor", files, workers=2)
    assert "\n" not in str(refused.value)
    assert ("/dev/shm" in str(refused.value)) == (error == "no locks")
    assert not children.living()


def test_epoch_that_was_left_does_not_disturb_the_next(backend: str, files: Images) -> None:
    reader = pipeline(backend, RECIPE, files, workers=2)  # type: ignore[arg-type]
    batches = np.arange(45).reshape(9, 5)
    left = reader.train_batches(0, np.arange(45), batches)
    next(left)
    del left
    read = torch.cat(list(reader.train_batches(1, np.arange(45), batches)))
    reader.close()
    expected = pipeline(backend, RECIPE, files).train_batches(1, np.arange(45), batches)  # type: ignore[arg-type]
    assert torch.equal(read, torch.cat(list(expected)))
