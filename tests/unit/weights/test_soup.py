"""The greedy soup keeps a trial exactly where the accuracy on the selection set does not fall."""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from clip_hparam.weights.soup import _greedy_members


class Evaluator:
    """Accuracy falls with the distance of the only weight to 1."""

    def selection(self, weights: dict[str, Tensor]) -> SimpleNamespace:
        distance = abs(float(weights["w"]) - 1.0)
        return SimpleNamespace(acc1=100.0 - distance, loss=distance)


def stored(name: str, value: float) -> Any:
    return SimpleNamespace(trial_id=name, load=lambda: {"w": torch.tensor(value)})


def test_greedy_soup_adds_in_the_order_of_accuracy_what_does_not_lower_it() -> None:
    members: Any = [stored("c", 9.0), stored("b", 2.2), stored("a", 0.0)]
    evaluator: Any = Evaluator()
    assert [one.trial_id for one in _greedy_members(evaluator, members)] == ["a", "b"]
