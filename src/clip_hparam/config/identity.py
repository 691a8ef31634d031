"""The identity of a trial: the knobs of its recipe that are hashed, the id, and a readable label.

Paths (`data.root`, a file in `encoder.pretrained` or `data.subset`) are not part of the identity;
the SHA-256 of the files and the classes are. Standard library only.
"""

import hashlib
import json
from functools import cache
from typing import Any

from clip_hparam.config.knob import AUTO
from clip_hparam.config.recipe import Recipe, flatten, knobs
from clip_hparam.config.tree import flatten_tree, tree_with_values


def canonical(recipe: Recipe) -> dict[str, Any]:
    """Return the hashed knobs of a resolved recipe as nested plain types.

    Raises ValueError if a value is still "auto": the recipe was not resolved.
    """
    tree: dict[str, Any] = {}
    for name, value in flatten(recipe).items():
        if not knobs()[name].metadata["hashed"]:
            continue
        if value == AUTO:
            raise ValueError(f"{name} is still auto: resolve the recipe before asking for its id")
        node, _, leaf = name.rpartition(".")
        (tree.setdefault(node, {}) if node else tree)[leaf] = value
    return tree


def identity(recipe: Recipe) -> dict[str, Any]:
    """Return the tree that `trial_id` hashes: the canonical recipe without unused new knobs.

    A knob at its `value_before_introduction` is left out, so that adding a knob keeps old ids.
    """
    tree = canonical(recipe)
    for name, value in _values_before_introduction().items():
        node, _, leaf = name.rpartition(".")
        branch = tree[node] if node else tree
        if branch[leaf] == value:
            del branch[leaf]
    return tree


def with_missing_knobs(tree: dict[str, Any]) -> dict[str, Any]:
    """Return a recorded canonical recipe; knobs that it lacks get `value_before_introduction`."""
    present = flatten_tree(tree)
    before = _values_before_introduction()
    return tree_with_values(tree, {name: before[name] for name in before if name not in present})


def trial_id(recipe: Recipe) -> str:
    """Return the first 12 hex digits of the SHA-256 of the identity as canonical JSON."""
    text = json.dumps(identity(recipe), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def label(recipe: Recipe, limit: int = 60) -> str:
    """Return the knobs that differ from the defaults, as "lr=0.003,layer_decay=0.65,seed=1"."""
    resolved = {"encoder.weights", "data.fingerprint", "data.prompts"}
    differing = [
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in flatten(recipe).items()
        if value not in (knobs()[name].default, knobs()[name].metadata["value_before_introduction"])
        and knobs()[name].metadata["hashed"]
        and name not in resolved
    ]
    return shorten(",".join(differing), limit)


def shorten(text: str, limit: int = 60) -> str:
    """Return the text, cut off with an ellipsis where it is longer than `limit`."""
    return text if len(text) <= limit else f"{text[: limit - 1]}\N{HORIZONTAL ELLIPSIS}"


@cache
def _values_before_introduction() -> dict[str, Any]:
    """Return `value_before_introduction` by dotted name, of the knobs that have one."""
    values = {name: field.metadata["value_before_introduction"] for name, field in knobs().items()}
    return {name: value for name, value in values.items() if value is not None}
