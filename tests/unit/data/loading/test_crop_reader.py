"""Crops of files are Pillow's, and evaluation images timm's, within two levels of 255."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from clip_hparam.config.recipe import Encoder, Recipe
from clip_hparam.data.dataset import ImageFiles
from clip_hparam.data.loading.crop_reader import CropReader
from clip_hparam.data.loading.read_request import ReadRequest
from clip_hparam.data.transforms.random_boxes import DRAWS_PER_BOX, random_crop_boxes
from clip_hparam.data.transforms.timm_pipeline import eval_transform
from clip_hparam.model.normalization import CLIP_MEAN, CLIP_STD
from clip_hparam.rng import uniform

RECIPE = Recipe(encoder=Encoder(pixels="clip"), resolution=24)
FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
SIZES = [(24, 24), (37, 24), (24, 61), (90, 50), (10, 13)]


def picture(height: int, width: int) -> Image.Image:
    """Return noise with structure, mode RGB."""
    generator = np.random.default_rng(height)
    fine, coarse = (
        Image.fromarray(generator.integers(0, 256, (h, w, 3), np.uint8)).resize((width, height))
        for h, w in ((height, width), (4, 4))
    )
    return Image.blend(fine, coarse, 0.6)


def levels(pixels: Tensor) -> Tensor:
    mean, std = (torch.tensor(values)[:, None, None] for values in (CLIP_MEAN, CLIP_STD))
    return 255 * (pixels * std + mean)


@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_crop_equals_that_of_pillow(height: int, width: int, interpolation: str) -> None:
    reader = CropReader(replace(RECIPE, interpolation=interpolation, crop_scale=0.3))  # type: ignore[arg-type]
    image = picture(height, width)
    for draws in uniform(0, 0, "crop", 10, DRAWS_PER_BOX):
        top, left, tall, wide = random_crop_boxes(draws[None], height, width, 0.3)[0].tolist()
        crop = image.crop((left, top, left + wide, top + tall))
        expected = torch.from_numpy(np.array(crop.resize((24, 24), FILTERS[interpolation])))
        ours = reader.cropped(image, draws, 24).permute(1, 2, 0)
        assert ours.dtype == torch.uint8
        assert (ours.int() - expected.int()).abs().max() <= 2


@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_evaluation_image_equals_that_of_timm(height: int, width: int, interpolation: str) -> None:
    reader = CropReader(replace(RECIPE, interpolation=interpolation))  # type: ignore[arg-type]
    image = picture(height, width)
    theirs = levels(eval_transform(24, interpolation, "clip")(image))
    ours = reader.centred(image, 24)
    assert ours.shape == (3, 24, 24)
    assert (ours - theirs).abs().max() < 2.01


def test_pillow_is_silenced_once_for_all_images_of_a_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        picture(24, 24).save(tmp_path / f"{number}.png")
    files = ImageFiles(tmp_path, np.array([b"0.png", b"1.png", b"2.png"]))
    logger, levels = logging.getLogger("PIL"), []
    set_level = logger.setLevel
    monkeypatch.setattr(logger, "setLevel", lambda level: (levels.append(level), set_level(level)))
    request = ReadRequest("test", np.arange(3), None, 24)
    CropReader(RECIPE).read(files, request, torch.empty(request.shape, dtype=torch.uint8))
    assert len(levels) == 2
