"""Nested values, as in recipe.json and in a composed configuration, by their dotted names."""

from collections.abc import Mapping
from typing import Any


def flatten_tree(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values by dotted name: {"data": {"shots": 20}} becomes {"data.shots": 20}."""
    flat: dict[str, Any] = {}
    _flatten_into(flat, tree, prefix)
    return flat


def tree_with_values(tree: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a nested tree with values replaced by dotted name."""
    copied = {name: dict(item) if isinstance(item, dict) else item for name, item in tree.items()}
    for name, value in values.items():
        node, _, leaf = name.rpartition(".")
        (copied.setdefault(node, {}) if node else copied)[leaf] = value
    return copied


def _flatten_into(flat: dict[str, Any], tree: dict[str, Any], prefix: str) -> None:
    for name, value in tree.items():
        if type(value) is dict:
            _flatten_into(flat, value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
