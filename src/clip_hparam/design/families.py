"""Values of a design per recipe family: a mapping family -> value gives the family's value.

    knobs: {lr: {tiny: [1e-3, 3e-3], b16: [3e-5, 1e-4]}}
    seeds: {tiny: 5, b16: 1}

The levels of a knob, the overrides of a step, the base and the seeds may be such a mapping.
Standard library only.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from clip_hparam.config.knob import suggest
from clip_hparam.config.options.sweep_options import DEFAULT_FAMILY


def select_family(
    tree: Mapping[str, Any], family: str, families: Collection[str]
) -> dict[str, Any]:
    """Return the content of a design file with the values of one family.

    families: names of all families. Parts of a wrong type are kept; `parse_design` refuses them.

    Raises:
        ValueError: mappings lack the family or name an unknown one; a line for each mistake.
    """
    mistakes = [
        f"design {tree.get('name')}: {part} {mistake}"
        for part, value in _parts(tree)
        if _is_mapping(value, families)
        for mistake in _mistakes(value, family, families)
    ]
    if mistakes:
        raise ValueError("\n".join(mistakes))

    def selected(value: Any) -> Any:
        return value[family] if _is_mapping(value, families) else value

    result = dict(tree) | {key: selected(tree[key]) for key in ("seeds", "base") if key in tree}
    if isinstance(knobs := tree.get("knobs"), Mapping):
        result["knobs"] = {name: selected(value) for name, value in knobs.items()}
    if isinstance(steps := tree.get("steps"), list):
        result["steps"] = [
            {key: selected(value) for key, value in step.items()}
            if isinstance(step, Mapping)
            else step
            for step in steps
        ]
    return result


def depends_on_family(tree: Mapping[str, Any], families: Collection[str]) -> bool:
    """Return whether a design has values per family, or names recipes, which families have."""
    return any(
        _is_mapping(value, families)
        or (isinstance(value, list) and any(str(item).startswith("recipe=") for item in value))
        for _, value in _parts(tree)
    )


def family_of(overrides: Iterable[str]) -> str:
    """Return the family that overrides choose: that of the last family=NAME."""
    chosen = [word.partition("=")[2] for word in overrides if word.startswith("family=")]
    return chosen[-1] if chosen else DEFAULT_FAMILY


def real_family(family: str) -> str:
    """Return the family as manifests write it: empty for the miniature."""
    return "" if family == DEFAULT_FAMILY else family


def _parts(tree: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the name and the value of each part that may be a mapping."""
    yield "seeds", tree.get("seeds")
    yield "base", tree.get("base")
    if isinstance(knobs := tree.get("knobs"), Mapping):
        yield from ((f"knob {name}", value) for name, value in knobs.items())
    steps = tree.get("steps")
    for step in steps if isinstance(steps, list) else ():
        if isinstance(step, Mapping):
            yield f"step {step.get('label')}", step.get("overrides")


def _is_mapping(value: Any, families: Collection[str]) -> bool:
    return isinstance(value, Mapping) and any(key in families for key in value)


def _mistakes(value: Mapping[str, Any], family: str, families: Collection[str]) -> Iterator[str]:
    for key in value:
        if key not in families:
            yield f"names the family {key}: {suggest(str(key), families)}"
    if family not in value:
        yield (
            f"has no value for family={family}, only for {', '.join(map(str, value))}: take one of"
            f" these families, or add `{family}: ...` to the design"
        )
