"""Set the first weights of the head of a model."""

import torch

from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.prompts.recipe_prompts import verified_prompts
from clip_hparam.model.classifier import Classifier, init_head, set_head
from clip_hparam.model.zero_shot_head import head_weights
from clip_hparam.training.head_start.linear_probe import probe_head


def start_head(
    model: Classifier, recipe: ResolvedRecipe, device: torch.device | None = None
) -> None:
    """Set the head of a model on the CPU as `recipe.head_init` says.

    device: computes a head that is not random; None is the CPU.
    """
    if recipe.head_init == "random":
        init_head(model, recipe.head_init_scale, recipe.seed)
        return
    device = device or torch.device("cpu")
    if recipe.head_init == "zero_shot":
        names = load_dataset(recipe.data).classes
        prompts = verified_prompts(recipe, names)
        set_head(model, head_weights(recipe.encoder, prompts, device))
        return
    weights, bias = probe_head(model, recipe, device)
    set_head(model, weights, bias)
