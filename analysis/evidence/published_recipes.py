"""The published recipes as knobs, to show published numbers next to cells with equal knobs.

The scripts and logs of LightDXY/FT-CLIP give all values of four runs, the last two rungs of each
family. No public source gives all values of an earlier rung, so no cell of a knob's table is one.
"""

from collections.abc import Mapping
from typing import Any

from clip_hparam.config.recipe import knobs

_IMAGENET = {"data.name": "imagenet", "data.shots": 0, "data.epoch_images": 1281167}
_SHARED = {
    **_IMAGENET, "batch_size": 2048, "ema_decay": 0.9998,
    "rand_augment": "rand-m9-mstd0.5-inc1", "random_erasing": 0.25,
}  # fmt: skip
_B16 = {**_SHARED, "lr": 6e-4, "layer_decay": 0.6, "epochs": 50, "resolution": 224}
_L14 = {
    **_SHARED, "lr": 4e-4, "layer_decay": 0.65, "epochs": 30, "resolution": 224, "warmup": 1 / 6,
}  # fmt: skip
PUBLISHED_RECIPES: dict[str, dict[str, dict[str, Any]]] = {
    "b16": {
        "weak_aug": _B16,
        "higher_resolution": {**_B16, "lr": 7e-4, "resolution": 384, "freeze": "none"},
    },
    "l14": {
        "weak_aug": _L14,
        "higher_resolution": {
            **_L14, "lr": 6e-4, "batch_size": 1920, "resolution": 336, "freeze": "none",
        },
    },
}  # fmt: skip
"""Knobs that differ from their defaults, by family and rung."""
NOT_COMPARED = {
    "seed", "precision", "augment_backend", "mix_pairs", "encoder.name", "encoder.weights",
    "encoder.pixels", "data.fingerprint", "data.selection", "data.shift", "data.on_error",
}  # fmt: skip
"""Knobs of the machine and of the data at hand; the family stands for the encoder.

The published recipes mix no images, so mix_pairs changes nothing.
"""


def published_rung(family: str, recipe: Mapping[str, Any]) -> str:
    """Return the rung of the published run that has these knobs, or an empty text.

    recipe: values by dotted knob; a knob that is missing is at its default.
    """
    for rung, changed in PUBLISHED_RECIPES.get(family, {}).items():
        expected = {
            name: changed.get(name, field.default)
            for name, field in knobs().items()
            if field.metadata["hashed"] and name not in NOT_COMPARED
        }
        if all(recipe.get(name, value) == value for name, value in expected.items()):
            return rung
    return ""
