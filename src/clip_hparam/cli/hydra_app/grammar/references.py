"""References between keys: min_lr=${lr}, data.root=/d/fold${seed}, lr=${oc.env:CLIP_HPARAM_LR}.

A reference takes the value that its key has in the same trial. It names a knob, a key of the
driver or of the machine; of the environment it reads variables CLIP_HPARAM_*. Everything else is
refused: a recipe must not depend on the computer that composes it, nor show its secrets.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from omegaconf.grammar.gen.OmegaConfGrammarParser import OmegaConfGrammarParser as Grammar
from omegaconf.grammar_parser import parse

from clip_hparam.cli.hydra_app.grammar.keys import is_text, key_fields
from clip_hparam.config.knob import AUTO
from clip_hparam.config.text.synonyms import suggest_key
from clip_hparam.config.tree import flatten_tree
from clip_hparam.records.credentials import without_password

MARK = "${"
VARIABLE = re.compile(r"[\"']?CLIP_HPARAM_\w+[\"']?")


def has_reference(value: Any) -> bool:
    """Return whether a text holds ${."""
    return isinstance(value, str) and MARK in value


def resolve_references(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config, as nested plain values, with the value of each reference.

    Raises:
        ValueError: a reference to an unknown key, to a key that is `auto`, to itself, or to another
            resolver; text around a reference where a number is needed.
    """
    flat = flatten_tree(dict(tree))
    texts = {key: value for key, value in flat.items() if has_reference(value)}
    if not texts:
        return dict(tree)
    for key in texts:
        for other in referenced_keys(key, flat):
            if flat[other] == AUTO:
                raise ValueError(
                    f"{key}={texts[key]} refers to {other}, which is auto and gets its value when"
                    f" trials are planned: give {other} a value"
                )
    config = OmegaConf.create(dict(tree))
    try:
        resolved: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # type: ignore[assignment]
    except OmegaConfBaseException as error:
        reason = str(error).splitlines()[0].rpartition(": ")[2].strip('"')
        raise ValueError(f"{' '.join(_overrides(texts))}: {reason}") from None
    return _with_types(resolved, texts)


def referenced_keys(key: str, flat: Mapping[str, Any]) -> set[str]:
    """Return the keys that the value of `key` depends on, directly and through others.

    flat: all values by dotted key.

    Raises:
        ValueError: an invalid reference, or a cycle.
    """
    dependencies: set[str] = set()
    unvisited = _named_keys(key, flat)
    while unvisited:
        other = unvisited.pop()
        if other == key:
            raise ValueError(f"{key}={flat[key]} refers to itself: give it a value")
        if other not in dependencies:
            dependencies.add(other)
            unvisited |= _named_keys(other, flat) if has_reference(flat[other]) else set()
    return dependencies


def refuse_resolvers(tree: Any) -> None:
    """Raise ValueError for a value in a tree with a resolver other than oc.env of CLIP_HPARAM_*.

    The password of a storage URL may be in any variable, because it is written nowhere.
    """
    if isinstance(tree, Mapping):
        for value in tree.values():
            refuse_resolvers(value)
    elif isinstance(tree, list):
        for value in tree:
            refuse_resolvers(value)
    elif has_reference(tree) and has_reference(text := without_password(tree)):
        list(_names_in(text, text))


def _named_keys(key: str, flat: Mapping[str, Any]) -> set[str]:
    word = f"{key}={flat[key]}"
    names = {_absolute(name, key) for name in _names_in(flat[key], word)}
    for name in names:
        if name not in flat:
            group = [other for other in flat if other.startswith(f"{name}.")]
            hint = f"it is a group, try {group[0]}" if group else suggest_key(name, flat)
            raise ValueError(f"{word} refers to {name}, which is not a knob: {hint}")
    return names


def _names_in(text: str, word: str) -> Iterator[str]:
    """Yield the names between ${ and } in a text; `word` is how errors call it.

    Raises:
        ValueError: unbalanced braces, or a resolver other than oc.env of CLIP_HPARAM_*.
    """
    try:
        nodes = [parse(text)]
    except OmegaConfBaseException:
        raise ValueError(f"{word} has an incomplete reference: a reference is ${{knob}}") from None
    while nodes:
        node = nodes.pop()
        if isinstance(node, Grammar.InterpolationResolverContext):
            _validate_resolver(node, word)
        elif isinstance(node, Grammar.InterpolationNodeContext):
            name = node.getText()[2:-1].strip()
            if MARK in name:
                raise ValueError(f"{word} has a reference inside a reference: name one knob")
            yield name
        nodes += [node.getChild(index) for index in range(node.getChildCount())]


def _validate_resolver(node: Any, word: str) -> None:
    name, sequence = node.resolverName().getText(), node.sequence()
    arguments = [element.getText() for element in sequence.element()] if sequence else []
    if name != "oc.env" or not arguments or not VARIABLE.fullmatch(arguments[0]):
        raise ValueError(
            f"{word} asks for ${{{name}:...}}: a reference is ${{knob}}, or ${{oc.env:NAME}} of a"
            " variable whose NAME begins with CLIP_HPARAM_"
        )


def _absolute(name: str, key: str) -> str:
    """Return the dotted key of a name; leading dots count from the node of `key`."""
    parts = [part for part in re.split(r"[.\[\]]+", name.lstrip(".")) if part]
    dots = len(name) - len(name.lstrip("."))
    node = key.split(".")[:-dots] if dots else []
    return ".".join([*node, *parts])


def _with_types(resolved: dict[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the tree with each resolved value as the type of its key expects it."""
    for key, text in texts.items():
        node, _, leaf = key.rpartition(".")
        branch = resolved[node] if node else resolved
        if is_text(key):
            branch[leaf] = str(branch[leaf])
        elif isinstance(branch[leaf], str):
            branch[leaf] = _as_value(key, text, branch[leaf])
    return resolved


def _as_value(key: str, text: str, value: str) -> Any:
    """Return a resolved text as the number that it is; a choice stays text.

    Raises:
        ValueError: text around a reference where a number is needed.
    """
    legal = key_fields()[key].metadata.get("legal", "") if key in key_fields() else ""
    if legal.removeprefix(f"{AUTO} | ")[:1] not in ("(", "["):
        return value
    if not re.fullmatch(r"\$\{[^{}]*\}", text):
        raise ValueError(
            f"{key}={text} gives {value}: a reference stands alone where a number is needed, and"
            " nothing is calculated with it; type the number"
        )
    for number in (int, float):
        try:
            return number(value)
        except ValueError:
            continue
    return value


def _overrides(values: Mapping[str, Any]) -> Collection[str]:
    return [f"{key}={value}" for key, value in values.items()]
