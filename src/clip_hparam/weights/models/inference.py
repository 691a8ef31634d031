"""Logits of a trained model for images, which are read as in the evaluation of a trial."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from torch import Tensor

from clip_hparam.config.knob import AUTO
from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe
from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.data.dataset import Images
from clip_hparam.data.loading.eval_batch import eval_batch_size
from clip_hparam.data.loading.loader import LoaderOptions
from clip_hparam.data.loading.pipelines import create_pipeline
from clip_hparam.data.loading.wait_clock import WaitClock, advice
from clip_hparam.data.loading.worker_count import resolve_workers
from clip_hparam.training.device.numerics import device_of
from clip_hparam.weights.models.trained_model import TrainedModel


@torch.inference_mode()
def logits_of_sets(
    model: TrainedModel, sets: Mapping[str, Images], device: str = AUTO
) -> Iterator[tuple[str, Tensor]]:
    """Yield the name of each set and the logits of its images, float32, (n, classes), on the CPU.

    device: as `machine.device`.

    Raises: UnreadableImageError.
    """
    target = device_of(Machine(device=device))
    module = model.module.to(target).eval()
    in_memory = all(isinstance(images, np.ndarray) for images in sets.values())
    workers = resolve_workers(AUTO, in_memory, 1)
    size = eval_batch_size(target, model.resolution)
    options = LoaderOptions(workers, size, model.resolution, target)
    recipe, clock = _recipe_of(model), WaitClock(advice(workers, in_memory))
    with closing(create_pipeline(recipe, sets, options, clock)) as pipeline:
        for name, images in sets.items():
            index = np.arange(len(images))
            batches = pipeline.eval_batches(name, index, size, model.resolution)
            yield name, torch.cat([module(batch.to(target)).float().cpu() for batch in batches])


def _recipe_of(model: TrainedModel) -> ResolvedRecipe:
    """Return a recipe with the knobs that images of an evaluation depend on."""
    recipe = Recipe()
    changed = replace(
        recipe,
        encoder=replace(recipe.encoder, pixels=model.pixels),
        resolution=model.resolution,
        interpolation=model.interpolation,
        augment_backend="tensor",
    )
    return cast(ResolvedRecipe, changed)  # other knobs are of training
