"""Group trials whose weights may be averaged: equal architecture, data, and first weights."""

from collections.abc import Mapping, Sequence
from typing import Any

from clip_hparam.config.recipe import flatten
from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.model.architectures import RANDOM
from clip_hparam.weights.stored import StoredWeights

ARCHITECTURE = ("encoder.name", "pool", "resolution")
SPLIT = ("data.shots", "data.selection")
RANDOM_HEAD = ("seed", "head_init_scale")
PROBE = ("seed", "probe_l2", "interpolation", "encoder.pixels", *SPLIT)

STARTS = {"random": RANDOM_HEAD, "linear_probe": PROBE, "zero_shot": ("data.prompts",)}
"""Knobs that decide the head, by head_init."""


def start_key(recipe: ResolvedRecipe) -> dict[str, Any]:
    """Return the knobs that decide the weights before the first step, and the data set."""
    names = [*ARCHITECTURE, "encoder.weights", "data.fingerprint", "head_init"]
    names += STARTS.get(recipe.head_init, ())
    if recipe.encoder.weights == RANDOM:
        names.append("seed")
    values = flatten(recipe)
    return {name: values[name] for name in dict.fromkeys(names)}


def group_by_start(members: Sequence[StoredWeights]) -> list[list[StoredWeights]]:
    """Return the members in groups that share their start, in the order of their first member."""
    groups: dict[tuple[Any, ...], list[StoredWeights]] = {}
    for member in members:
        key = (*start_key(member.recipe).values(), member.weights, member.when)
        groups.setdefault(key, []).append(member)
    return list(groups.values())


def lone_trials_note(groups: Sequence[Sequence[StoredWeights]]) -> str:
    """Return a note about soups of one trial; "" if there is none, or the only soup has one."""
    lone = sum(len(group) == 1 for group in groups)
    if not lone or len(groups) == 1:
        return ""
    return (
        f"note: {lone} of {len(groups)} soups have one trial and its numbers, because no other"
        " trial has its first weights: those of a random head or a linear probe differ with the"
        " seed, those of head_init=zero_shot do not"
    )


def validate_shared_start(members: Sequence[StoredWeights]) -> None:
    """Raise ValueError with the first knob by which weights may not be averaged.

    Also for no member, and where some report EMA weights and others raw ones.
    """
    if not members:
        raise ValueError("a soup needs a trial: name trials, a cell or a sweep")
    first, *others = members
    for member in others:
        one_key, first_key = start_key(member.recipe), start_key(first.recipe)
        for name in {**first_key, **one_key}:
            if first_key.get(name) != one_key.get(name):
                raise ValueError(_message(first, member, name, first_key, one_key))
        if (member.weights, member.when) != (first.weights, first.when):
            raise ValueError(
                f"{first.trial_id} has kept the {first.weights} weights of the {first.when} epoch,"
                f" and {member.trial_id} the {member.weights} weights of the {member.when} one:"
                " make a soup of one kind"
            )


def _message(
    first: StoredWeights,
    member: StoredWeights,
    name: str,
    first_key: Mapping[str, Any],
    one_key: Mapping[str, Any],
) -> str:
    what = "architectures" if name in ARCHITECTURE else "first weights"
    what = "data sets" if name == "data.fingerprint" else what
    values = " and ".join(
        f"{name}={key.get(name, 'unused')} of {stored.trial_id}"
        for stored, key in ((first, first_key), (member, one_key))
    )
    return (
        f"the mean of weights with different {what} is not a model ({values}): make a soup of"
        f" trials with one {name}"
    )
