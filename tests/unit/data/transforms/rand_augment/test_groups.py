"""Groups keep the order and the size of the batches."""

import pytest
import torch

from clip_hparam.data.transforms.rand_augment.groups import groups


@pytest.mark.parametrize(
    ("pixels", "sizes"),
    [(0, [1, 1, 1, 1, 1]), (32, [1, 1, 1, 1, 1]), (33, [2, 2, 1]), (96, [3, 2]), (10**6, [5])],
)
def test_group_is_the_fewest_batches_that_have_the_pixels(pixels: int, sizes: list[int]) -> None:
    batches = [torch.full((2, 3, 4, 4), float(number)) for number in range(5)]
    found = list(groups(batches, pixels))
    assert [len(group) for group in found] == sizes
    assert [int(batch[0, 0, 0, 0]) for group in found for batch in group] == list(range(5))
