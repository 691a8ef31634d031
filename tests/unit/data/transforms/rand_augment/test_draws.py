"""Draws are functions of (seed, epoch, position) and have the distribution of timm's draws."""

import random
from collections import Counter, defaultdict
from functools import partial
from itertools import chain

import numpy as np
import pytest
from scipy.stats import chi2_contingency, ks_2samp
from timm.data import auto_augment
from timm.data.auto_augment import AugmentOp, rand_augment_transform

from clip_hparam.data.transforms.rand_augment.draws import sample_operations
from clip_hparam.data.transforms.rand_augment.operations import OPERATIONS, Kind
from clip_hparam.data.transforms.rand_augment.policy import parse_policy

MANY = 6000
ALIKE = 1e-3  # the draws are fixed, so the outcome is deterministic
STRINGS = [
    "rand-m9-mstd0.5-inc1",
    "rand-m5-n3-p0.8",
    "rand-m9-mstd101-mmax12-n1",
    "rand-m8-mstd2-inc1-tweights-n3",
    "rand-m6-mstd1-t3aw-p1",
    "rand-m6-t3a",
]
Drawn = list[list[tuple[Kind, float]]]
"""The applied operations of each image, in order, with their arguments."""


def our_draws(string: str) -> Drawn:
    kinds, arguments = sample_operations(parse_policy(string), 0, 0, MANY)
    return [
        [(Kind(kind), argument) for kind, argument in zip(*row, strict=True) if kind >= 0]
        for row in zip(kinds.tolist(), arguments.tolist(), strict=True)
    ]


def timms_draws(string: str) -> Drawn:
    """Return what timm's RandAugment calls on an image that is a list of these calls."""
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 - timm draws from it
    augment = rand_augment_transform(string)
    for operation in augment.ops:
        operation.aug_fn = partial(noted, operation)
    return [augment([]) for _ in range(MANY)]


def noted(
    operation: AugmentOp, calls: list[tuple[Kind, float]], *given: float, **_: object
) -> list[tuple[Kind, float]]:
    argument = given[0] if given else 0.0
    if operation.name == "Desaturate":  # timm computes the factor when it is called
        argument = min(1.0, max(0.0, 1 - argument))
    return [*calls, (OPERATIONS[operation.name].kind, argument)]


def arguments_by_kind(drawn: Drawn) -> dict[Kind, list[float]]:
    found: dict[Kind, list[float]] = defaultdict(list)
    for kind, argument in chain.from_iterable(drawn):
        found[kind].append(argument)
    return found


def assert_sequences_alike(ours: Drawn, theirs: Drawn) -> None:
    """Compare the number of operations of an image, the first one, and the first two."""
    for seen in (len, partial(first_kinds, 1), partial(first_kinds, 2)):
        counts = [Counter(str(seen(calls)) for calls in drawn) for drawn in (ours, theirs)]
        common = [name for name, total in (counts[0] + counts[1]).items() if total >= 10]
        table = np.array([[count[name] for name in common] for count in counts])
        assert table.sum() > MANY
        assert chi2_contingency(table).pvalue > ALIKE


def first_kinds(count: int, calls: list[tuple[Kind, float]]) -> list[Kind]:
    return [kind for kind, _ in calls[:count]]


@pytest.mark.parametrize("string", STRINGS)
def test_sequences_of_operations_have_the_distribution_of_timm(string: str) -> None:
    assert_sequences_alike(our_draws(string), timms_draws(string))


@pytest.mark.parametrize("string", STRINGS)
def test_arguments_have_the_distribution_of_timm(string: str) -> None:
    ours, theirs = (arguments_by_kind(drawn(string)) for drawn in (our_draws, timms_draws))
    compared = [kind for kind in ours if len(ours[kind]) > 50]
    assert len(compared) >= 3
    for kind in compared:
        assert ks_2samp(ours[kind], theirs[kind], method="asymp").pvalue > ALIKE, kind.name


def test_another_probability_is_another_distribution() -> None:
    """The comparison above can fail."""
    with pytest.raises(AssertionError):
        assert_sequences_alike(our_draws("rand-m9-p0.5"), timms_draws("rand-m9-p0.55"))


def test_draws_of_a_position_do_not_depend_on_the_number_of_images() -> None:
    policy = parse_policy("rand-m9-mstd0.5-tweights-n4")
    for few, many in zip(
        sample_operations(policy, 0, 0, 20), sample_operations(policy, 0, 0, 60), strict=True
    ):
        np.testing.assert_array_equal(few, many[:20])


@pytest.mark.parametrize("other", [(1, 0), (0, 1)])
def test_another_seed_or_epoch_has_other_draws(other: tuple[int, int]) -> None:
    policy = parse_policy("rand-m9-mstd0.5-inc1")
    for one, two in zip(
        sample_operations(policy, 0, 0, 50), sample_operations(policy, *other, 50), strict=True
    ):
        assert (one != two).any()


def test_weighted_operations_are_not_drawn_twice() -> None:
    kinds, _ = sample_operations(parse_policy("rand-tweights-n9-p1"), 0, 0, 500)
    assert {len(set(row)) for row in kinds.tolist()} == {9}
    assert len(auto_augment.rand_augment_choices("weights")) >= 9


def test_none_has_no_layers() -> None:
    kinds, arguments = sample_operations(parse_policy("none"), 0, 0, 7)
    assert kinds.shape == arguments.shape == (7, 0)
