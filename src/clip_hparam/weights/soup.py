"""Model soups: the mean of the weights of trials that share their first weights.

`uniform` averages all of them. `greedy` adds them in the order of their accuracy on the selection
set, and keeps each that does not lower the accuracy of the soup there. Trials of different seeds
have other selection images, which other members may have trained on; their soups are selected on
the selection images of all members that none of them trained on.

Source: Wortsman et al., "Model soups", 2022.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from clip_hparam.config.knob import AUTO
from clip_hparam.data.dataset import Indices
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.splits import stratified_split
from clip_hparam.records.derived import DerivedResult
from clip_hparam.weights.arithmetic import RunningMean
from clip_hparam.weights.evaluator import Evaluator, open_evaluator
from clip_hparam.weights.shared_start import validate_shared_start
from clip_hparam.weights.stored import StoredWeights

SOUP = "soup"
RULES = UNIFORM, GREEDY = ("uniform", "greedy")


class _Ranked(NamedTuple):
    """A member, and its accuracy and negative loss on the images that select."""

    stored: StoredWeights
    key: tuple[float, float]


def make_soups(
    members: Sequence[StoredWeights], rules: Sequence[str] = RULES, device: str = AUTO
) -> list[DerivedResult]:
    """Return the soup of each rule. The order of the members does not matter.

    Raises: ValueError for members that do not share their architecture, data or first weights.
    """
    validate_shared_start(members)
    ordered = sorted(members, key=lambda member: member.trial_id)
    held_out = held_out_images(ordered)
    with open_evaluator(ordered[0], device, held_out, ordered[1:]) as evaluator:
        return [_soup(evaluator, ordered, rule, held_out) for rule in rules]


def held_out_images(members: Sequence[StoredWeights]) -> Indices | None:
    """Return the selection images of all members that none trained on; None: they have one set.

    Raises: ValueError if there are none.
    """
    recipe = members[0].recipe
    dataset = load_dataset(recipe.data)
    splits = [
        stratified_split(
            dataset.train_labels,
            member.recipe.data.shots,
            member.recipe.data.selection,
            member.recipe.seed,
        )
        for member in members
    ]
    alike = all(
        np.array_equal(split.train, splits[0].train)
        and np.array_equal(split.selection, splits[0].selection)
        for split in splits
    )
    if alike or not recipe.data.selection:
        return None
    selection = np.unique(np.concatenate([split.selection for split in splits]))
    trained = np.unique(np.concatenate([split.train for split in splits]))
    free = np.setdiff1d(selection, trained)
    if not len(free):
        raise ValueError(
            f"each selection image of these {len(members)} trials is a training image of another"
            " one, because their seeds differ: make a soup of trials with one seed"
        )
    return free


def _soup(
    evaluator: Evaluator, members: Sequence[StoredWeights], rule: str, held_out: Indices | None
) -> DerivedResult:
    kept = list(members) if rule == UNIFORM else _greedy_members(evaluator, members)
    mean = RunningMean(member.load() for member in kept)
    first = members[0]
    return DerivedResult(
        kind=SOUP,
        parents=tuple(member.parent for member in kept),
        parameters={"rule": rule, "of": len(members)},
        metrics=evaluator.metrics(mean.mean()),
        selected_weights=first.weights,
        data_fingerprint=first.recipe.data.fingerprint,
        facts={
            "candidates": [member.trial_id for member in members],
            "held_out": None if held_out is None else len(held_out),
            **evaluator.facts,
        },
    )


def _greedy_members(evaluator: Evaluator, members: Sequence[StoredWeights]) -> list[StoredWeights]:
    """Return the members of the greedy soup, in the order of their trial ids."""
    ranked = sorted(
        (_Ranked(member, _key(evaluator, member)) for member in members),
        key=lambda member: (member.key, member.stored.trial_id),
        reverse=True,
    )
    kept, best = [ranked[0].stored], ranked[0].key[0]
    mean = RunningMean([kept[0].load()])
    for member in ranked[1:]:
        weights = member.stored.load()
        accuracy = evaluator.selection(mean.mean_with(weights)).acc1
        if accuracy >= best:
            kept.append(member.stored)
            mean.add(weights)
            best = accuracy
    return sorted(kept, key=lambda member: member.trial_id)


def _key(evaluator: Evaluator, member: StoredWeights) -> tuple[float, float]:
    score = evaluator.selection(member.load())
    return score.acc1, -score.loss
