"""The head of head_init=linear_probe: logistic regression on the features of the training images.

Fine-tuning that starts at a fitted head distorts the features less than one that starts at a random
head (LP-FT). The tower reads each training image once, without augmentation; the regression then
runs on the features in memory.

Source: Kumar et al., "Fine-tuning can distort pretrained features and underperform
out-of-distribution", 2022.
"""

import json
import logging
from contextlib import suppress

import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor

from clip_hparam.config.identity import canonical
from clip_hparam.config.knob import AUTO
from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.data.batches import Batches
from clip_hparam.data.datasets import load_dataset
from clip_hparam.model.classifier import Classifier
from clip_hparam.model.weights_reader import read_safetensors
from clip_hparam.records.atomic import write_atomic
from clip_hparam.records.provenance import package_versions
from clip_hparam.records.user_cache import cache_path

logger = logging.getLogger(__name__)
MAX_ITERATIONS = 200
ROWS_AT_ONCE = 65536  # rows of features in a matrix product; bounds the memory of the logits
FEATURE_KNOBS = (
    *("encoder", "data", "pool", "resolution", "interpolation", "augment_backend"),
    *("probe_l2", "seed"),
)
"""Knobs that the fitted head depends on; the seed draws the training images.

Backends resize by other code: their pixels differ by up to two of 255 levels.
"""


def probe_head(
    model: Classifier, recipe: ResolvedRecipe, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return weights and bias of the head on the CPU, float32: (classes, width) and (classes,).

    They are kept in the user's cache folder, because the trials of a sweep share them.
    """
    tree = canonical(recipe)
    named = {name: tree[name] for name in FEATURE_KNOBS}
    key = json.dumps([named, device.type, package_versions()], sort_keys=True)
    entry = cache_path("probes", key).with_suffix(".safetensors")
    with suppress(OSError, ValueError, KeyError):  # not there, or damaged
        cached = read_safetensors(entry.read_bytes(), entry.name)
        return cached["weights"], cached["bias"]
    features, labels = training_features(model, recipe, device)
    weights, bias = fit_head(features, labels, model.head.out_features, recipe.probe_l2)
    hits = ((features @ weights.T + bias).argmax(1) == labels).float().mean()
    logger.info(
        "linear probe of %d images: %.1f %% of them correct", len(labels), 100 * float(hits)
    )
    head = {"weights": weights.cpu(), "bias": bias.cpu()}
    with suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(entry, save(head))
    return head["weights"], head["bias"]


@torch.no_grad()
def training_features(
    model: Classifier, recipe: ResolvedRecipe, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return features, float32, and labels of the training images of a trial, on the device.

    The model is on the CPU again afterwards, and in training mode.
    """
    batches = Batches(recipe, load_dataset(recipe.data), AUTO, device=device)
    model = model.to(device).eval()
    read = [
        (model.features(model.tokens(images)), labels) for images, labels in batches.plain_train()
    ]
    batches.close()
    model.cpu().train()
    features, labels = (torch.cat(parts) for parts in zip(*read, strict=True))
    return features, labels


def fit_head(features: Tensor, labels: Tensor, classes: int, l2: float) -> tuple[Tensor, Tensor]:
    """Return weights and bias that minimise the mean cross-entropy plus l2 / 2 * |weights|^2.

    The minimum is unique up to a constant of the bias; L-BFGS starts at zero.
    """
    weights = torch.zeros(classes, features.shape[1], device=features.device, requires_grad=True)
    bias = torch.zeros(classes, device=features.device, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weights, bias], max_iter=MAX_ITERATIONS, history_size=20, line_search_fn="strong_wolfe"
    )

    def closure() -> float:
        optimizer.zero_grad()
        total = 0.0
        for start in range(0, len(labels), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            loss = F.cross_entropy(
                features[rows] @ weights.T + bias, labels[rows], reduction="sum"
            ) / len(labels)
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        penalty = l2 / 2 * weights.square().sum()
        penalty.backward()  # type: ignore[no-untyped-call]
        return total + float(penalty.detach())

    with torch.enable_grad():
        optimizer.step(closure)  # type: ignore[no-untyped-call]
    return weights.detach(), bias.detach()
