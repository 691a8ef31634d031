"""Refuse a value of a knob that another knob makes unused, and combinations without a meaning."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from clip_hparam.config.knob import format_value

USED_WITH = {
    "head_init_scale": ("head_init", "random", "applies to a random head"),
    "probe_l2": ("head_init", "linear_probe", "applies to the linear probe"),
    "logit_scale": ("head_init", "zero_shot", "applies to a zero-shot head"),
    "lora_rank": ("tune", "lora", "applies to low-rank updates"),
    "lora_alpha": ("tune", "lora", "applies to low-rank updates"),
}
"""A knob, the knob and the value that it is used with, and its role."""


def validate_use(recipe: Any, knobs: Mapping[str, dataclasses.Field[Any]]) -> None:
    """Raise ValueError for a knob that has no effect, or a tower without a trained parameter."""
    for name, (switch, value, role) in USED_WITH.items():
        given, default, chosen = getattr(recipe, name), knobs[name].default, getattr(recipe, switch)
        if given != default and chosen != value:
            raise ValueError(
                f"{name}={format_value(given)} {role}, and {switch}={chosen} has none: leave it at"
                f" {format_value(default)}, or try {switch}={value}"
            )
    if recipe.tune != "full" and recipe.freeze == "backbone":
        raise ValueError(
            f"freeze=backbone leaves nothing of the tower for tune={recipe.tune}: try tune=full,"
            " or freeze=patch"
        )
