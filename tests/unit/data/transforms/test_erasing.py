"""Random erasing gives the same pixels with and without a loop over the boxes."""

import numpy as np
import torch

from clip_hparam.data.transforms.erasing import _erase_at_once, _erase_one_by_one, erase
from clip_hparam.data.transforms.random_boxes import DRAWS_PER_BOX, random_erase_boxes
from clip_hparam.rng import uniform

SIDE, COUNT = 20, 200


def test_erasing_at_once_equals_erasing_one_by_one() -> None:
    boxes = torch.from_numpy(
        random_erase_boxes(uniform(0, 0, "erasing", COUNT, DRAWS_PER_BOX), SIDE)
    )
    boxes[::3] = 0
    offsets = torch.from_numpy(np.random.default_rng(0).integers(0, SIDE, (COUNT, 2)))
    loop, at_once = (torch.zeros(COUNT, 3, SIDE, SIDE) for _ in range(2))
    _erase_one_by_one(loop, boxes, offsets)
    _erase_at_once(at_once, boxes, offsets)
    assert torch.equal(loop, at_once)
    assert (loop != 0).flatten(1).any(1).tolist() == (boxes[:, 2] > 0).tolist()


def test_no_value_is_read_from_another_device() -> None:
    meta = torch.device("meta")
    pixels = torch.zeros(4, 3, SIDE, SIDE, device=meta)
    tables = (torch.zeros(4, columns, dtype=torch.int64, device=meta) for columns in (4, 2))
    erase(pixels, *tables)  # .tolist() of a meta tensor raises
