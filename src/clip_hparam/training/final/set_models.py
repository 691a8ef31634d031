"""Models that predict the classes of an evaluation set with the weights of a trained classifier."""

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clip_hparam.config.recipe import Encoder
from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.data.batches import Batches
from clip_hparam.data.dataset import EvalSet
from clip_hparam.data.prompt_templates import character_prompts, folder_prompts
from clip_hparam.model.architectures import TINY
from clip_hparam.model.classifier import Classifier
from clip_hparam.model.tiny_clip.captions import CHARACTERS
from clip_hparam.model.tiny_clip.model import CHARACTER_PROMPTS
from clip_hparam.model.tower import build_tower
from clip_hparam.model.zero_shot_head import head_weights
from clip_hparam.training.metrics.predictions import UNSCALED


class GroupedClasses(nn.Module):
    """A classifier whose classes count as groups: the logit of a group is that of its best class.

    groups: int64, shape (classes,), -1 for a class that is not predicted.

    Source: WiSE-FT's evaluation of ObjectNet.
    """

    def __init__(self, model: nn.Module, groups: Tensor) -> None:
        super().__init__()
        self.model = model
        self.kept = torch.nonzero(groups >= 0)[:, 0]
        self.groups = groups[self.kept]
        self.count = int(groups.max()) + 1
        self.train(model.training)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits, shape (b, groups)."""
        logits: Tensor = self.model(images)
        kept = logits[:, self.kept.to(logits.device)]
        index = self.groups.to(logits.device).expand(len(logits), -1)
        lowest = kept.new_full((len(logits), self.count), -torch.inf)
        return lowest.scatter_reduce(1, index, kept, "amax")


class ZeroShotClassifier(nn.Module):
    """Zero-shot classifier of the fine-tuned blocks and CLIP's text embeddings.

    Its accuracy is the zero-shot accuracy that is left after fine-tuning.

    The class token is read through the pre-trained ln_post and projection, or through the trained
    ones with pool=clip.

    head: unit text embedding of each class times the logit scale, shape (classes, embed_dim).
    """

    def __init__(
        self, model: Classifier, ln_post: nn.Module, projection: Tensor, head: Tensor
    ) -> None:
        super().__init__()
        self.model = model
        self.ln_post, self.projection, self.head = ln_post, projection, head
        self.train(model.training)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits, shape (b, classes)."""
        own = self.model.pool == "clip"
        ln_post = self.model.ln_post if own else self.ln_post
        projection = self.model.proj if own else self.projection
        features = ln_post(self.model.tokens(images)[:, 0]) @ projection
        return F.normalize(features, dim=-1) @ self.head.T


class DividedLogits(nn.Module):
    """A model whose logits are divided by a temperature."""

    def __init__(self, model: nn.Module, temperature: float) -> None:
        super().__init__()
        self.model, self.temperature = model, temperature
        self.train(model.training)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits, float32, shape (b, classes)."""
        logits: Tensor = self.model(images)
        return logits.float() / self.temperature


def divide_logits(models: Mapping[str, nn.Module], temperature: float) -> Mapping[str, nn.Module]:
    """Return models whose logits are divided by a temperature; at 1 the models themselves."""
    if temperature == UNSCALED:
        return models
    return {name: DividedLogits(model, temperature) for name, model in models.items()}


def models_for_set(
    eval_set: EvalSet, models: Mapping[str, nn.Module], batches: Batches
) -> tuple[Mapping[str, nn.Module], int]:
    """Return the models for a set, and the number of classes that they predict."""
    if eval_set.zero_shot:
        return {
            name: zero_shot_classifier(model, batches.recipe, eval_set.class_names, batches.device)
            for name, model in models.items()
            if isinstance(model, Classifier)
        }, len(eval_set.class_names)
    if eval_set.class_groups is None:
        return models, batches.classes
    if np.array_equal(eval_set.class_groups, np.arange(batches.classes)):
        return models, batches.classes
    groups = torch.from_numpy(eval_set.class_groups)
    grouped = {name: GroupedClasses(model, groups) for name, model in models.items()}
    return grouped, int(groups.max()) + 1


def zero_shot_classifier(
    model: Classifier, recipe: ResolvedRecipe, names: Sequence[str], device: torch.device
) -> ZeroShotClassifier:
    """Return the zero-shot classifier of these classes on the blocks of a model."""
    ln_post, projection, head = _pretrained_parts(recipe.encoder, tuple(names), device)
    return ZeroShotClassifier(model, ln_post, projection, head)


@cache
def _pretrained_parts(
    encoder: Encoder, names: tuple[str, ...], device: torch.device
) -> tuple[nn.Module, Tensor, Tensor]:
    tower = build_tower(encoder)
    head = head_weights(encoder, _prompts(encoder, names), device)
    return tower.ln_post.to(device), tower.proj.detach().to(device), head.to(device)


def _prompts(encoder: Encoder, names: tuple[str, ...]) -> list[list[str]]:
    """Return the prompts of the classes; those of tiny CLIP's characters are its own."""
    if encoder.name == TINY:
        own = dict(zip(CHARACTERS, CHARACTER_PROMPTS, strict=True))
        return [own[name] for name in names]
    are_characters = all(name in CHARACTERS for name in names)
    return character_prompts(names) if are_characters else folder_prompts(names)
