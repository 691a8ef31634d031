"""Splits are stratified, disjoint, and a function of (labels, seed) alone."""

import numpy as np
import pytest

from clip_hparam.data.dataset import split_off_test
from clip_hparam.data.splits import Split, split_sizes, stratified_split

LABELS = np.repeat([2, 0, 1], [30, 50, 40])[np.random.default_rng(0).permutation(120)]


def both(split: Split) -> tuple[list[int], list[int]]:
    return split.train.tolist(), split.selection.tolist()


@pytest.mark.parametrize(
    ("shots", "selection"), [(5, 3.0), (0, 3.0), (0, 0.1), (10, 0.5), (1, 0.001)]
)
def test_split_is_disjoint_and_has_the_sizes_of_split_sizes(shots: int, selection: float) -> None:
    split = stratified_split(LABELS, shots, selection, seed=0)
    train, held = split_sizes(LABELS, shots, selection)
    assert np.bincount(LABELS[split.train]).tolist() == train.tolist()
    assert np.bincount(LABELS[split.selection]).tolist() == held.tolist()
    assert not set(split.train) & set(split.selection)
    assert len(set(split.train)) == len(split.train)
    if not shots:
        assert len(split.train) + len(split.selection) == len(LABELS)


@pytest.mark.parametrize(
    ("selection", "held"), [(3.0, [3, 3, 3]), (0.1, [5, 4, 3]), (0.001, [1, 1, 1])]
)
def test_selection_share_is_at_least_one_image_of_each_class(
    selection: float, held: list[int]
) -> None:
    assert split_sizes(LABELS, 0, selection)[1].tolist() == held


def test_split_is_a_function_of_the_seed() -> None:
    assert both(stratified_split(LABELS, 5, 3.0, 0)) == both(stratified_split(LABELS, 5, 3.0, 0))
    splits = [both(stratified_split(LABELS, 5, 3.0, seed)) for seed in range(5)]
    assert len({str(split) for split in splits}) == 5


def test_selection_set_is_independent_of_shots_and_fewer_shots_are_a_subset() -> None:
    few, many = stratified_split(LABELS, 2, 3.0, 0), stratified_split(LABELS, 9, 3.0, 0)
    assert few.selection.tolist() == many.selection.tolist()
    assert set(few.train) < set(many.train)


@pytest.mark.parametrize(("shots", "selection"), [(28, 3.0), (0, 30.0), (16, 0.5)])
def test_too_small_class_is_refused_by_its_number(shots: int, selection: float) -> None:
    with pytest.raises(ValueError, match=r"the 30 training images of class 2: try a smaller"):
        stratified_split(LABELS, shots, selection, 0)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.001])
def test_test_set_is_a_fixed_share_of_each_class(share: float) -> None:
    pool, test = split_off_test(LABELS, share)
    assert sorted([*pool, *test]) == list(range(len(LABELS)))
    expected = [max(1, int(share * count)) for count in np.bincount(LABELS)]
    assert np.bincount(LABELS[test]).tolist() == expected
    assert split_off_test(LABELS, share)[1].tolist() == test.tolist()


def test_too_small_class_is_refused_by_its_name() -> None:
    with pytest.raises(ValueError, match=r"the 40 training images of class b \(and 1 more\)"):
        stratified_split(LABELS, 38, 3.0, 0, ("a", "b", "c"))
    with pytest.raises(ValueError, match=r"the 0 training images of class d: try"):
        split_sizes(LABELS, 5, 3.0, ("a", "b", "c", "d"))


def test_without_selection_images_all_images_train() -> None:
    split = stratified_split(LABELS, 0, 0.0, 0)
    assert len(split.selection) == 0
    assert len(split.train) == len(LABELS)


@pytest.mark.parametrize("selection", [1.5, 2.0001])
def test_number_of_selection_images_that_is_not_whole_is_refused(selection: float) -> None:
    with pytest.raises(ValueError, match=r"neither a share below 1 nor a whole number of images"):
        split_sizes(np.repeat([0, 1], 9), 0, selection)
