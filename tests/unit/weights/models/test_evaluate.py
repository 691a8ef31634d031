"""Classes are matched by name, and logits are scored as a trial scores them."""

import numpy as np
import pytest
import torch
from torch import nn

from clip_hparam.data.dataset import EvalSet
from clip_hparam.weights.models.evaluate import class_order, score_logits
from clip_hparam.weights.models.trained_model import TrainedModel


def model(*classes: str, outputs: int = 3) -> TrainedModel:
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 4, outputs))
    return TrainedModel(module, classes, 2, "clip", "bicubic", "given", "ab" * 32)


def test_classes_are_matched_by_name() -> None:
    assert class_order(model("a", "b", "c"), ("c", "a", "b")) == [2, 0, 1]


def test_unknown_classes_are_those_of_the_data_in_their_order() -> None:
    assert class_order(model(), ("x", "y", "z")) == [0, 1, 2]


@pytest.mark.parametrize(
    ("given", "data", "sentence"),
    [
        (model("a", "b", "c"), ("a", "b", "d"), "has 3 classes, and d is not among them"),
        (model("a", "b", "c"), ("a", "b"), "has 3 classes, and the data have 2"),
        (model(), ("a", "b"), "has 3 classes, and the data have 2"),
    ],
)
def test_other_classes_are_refused(
    given: TrainedModel, data: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(ValueError, match=f"^given {sentence}"):
        class_order(given, data)


def test_only_allowed_classes_are_predicted() -> None:
    logits = torch.tensor([[5.0, 4.0, 0.0], [0.0, 1.0, 9.0]])
    images, labels = np.zeros((2, 1, 2, 2), np.uint8), np.array([1, 1])
    free = score_logits(logits, EvalSet(images, labels))
    assert free.acc1 == 0.0
    masked = score_logits(logits, EvalSet(images, labels, np.array([False, True, True])))
    assert masked.acc1 == 50.0
    assert masked.top1_correct.tolist() == [True, False]
