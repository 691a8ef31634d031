"""Logits of a trained model for the evaluation sets of a data set, and for a folder of images."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from clip_hparam.config.knob import AUTO
from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Data, Recipe
from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.data.batches import Batches
from clip_hparam.data.dataset import TEST, EvalSet, ImageDataset
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.device.numerics import device_of
from clip_hparam.weights.models.trained_model import TrainedModel

Scores = tuple[Tensor, Tensor]
"""Logits, float32, shape (n, classes), and labels, int64, shape (n,), on the CPU."""


def evaluation_recipe(model: TrainedModel, data: Data) -> ResolvedRecipe:
    """Return a recipe whose evaluation sets hold the images that the model takes."""
    recipe = resolve(Recipe(data=data))
    encoder = replace(recipe.encoder, pixels=model.pixels)
    return replace(
        recipe, encoder=encoder, resolution=model.resolution, interpolation=model.interpolation
    )


@torch.inference_mode()
def set_logits(
    model: TrainedModel, recipe: ResolvedRecipe, dataset: ImageDataset, device: str = AUTO
) -> Iterator[tuple[str, EvalSet, Scores]]:
    """Yield each evaluation set of the data set with its name and the scores of its images."""
    target = device_of(Machine(device=device))
    module = model.module.to(target).eval()
    with closing(Batches(recipe, dataset, AUTO, device=target)) as batches:
        for name, eval_set in dataset.eval_sets.items():
            parts = [
                (module(images.to(target)).float().cpu(), labels.cpu())
                for images, labels in batches.evaluation(name)
            ]
            logits, labels = map(torch.cat, zip(*parts, strict=True))
            yield name, eval_set, (logits, labels)


def test_logits(
    model: TrainedModel, recipe: ResolvedRecipe, dataset: ImageDataset, device: str = AUTO
) -> Tensor:
    """Return the logits of the test set alone."""
    alone = replace(dataset, eval_sets={TEST: dataset.test})
    ((_, _, (logits, _)),) = set_logits(model, recipe, alone, device)
    return logits


def image_files(folder: Path) -> Sequence[Path]:
    """Return the image files of a folder, and of its subfolders, sorted.

    Raises: FileNotFoundError for a missing folder, ValueError for one without images.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder: name one that holds images")
    return sorted(folder.rglob("*"))
