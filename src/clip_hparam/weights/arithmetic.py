"""Interpolate and average the tensors of models with equal names and shapes."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor


def interpolate(
    start: Mapping[str, Tensor], end: Mapping[str, Tensor], alpha: float
) -> dict[str, Tensor]:
    """Return (1 - alpha) * start + alpha * end; at 0 and at 1 with the bits of the ends."""
    return {name: torch.lerp(start[name], end[name], alpha) for name in end}


class RunningMean:
    """The mean of models that are added one by one, summed in float64; of one model, its bits."""

    def __init__(self, models: Iterable[Mapping[str, Tensor]] = ()) -> None:
        self._sum: dict[str, Tensor] = {}
        self._types: dict[str, torch.dtype] = {}
        self.count = 0
        for model in models:
            self.add(model)

    def add(self, model: Mapping[str, Tensor]) -> None:
        """Add a model."""
        self._sum = self._with(model)
        self._types = {name: tensor.dtype for name, tensor in model.items()}
        self.count += 1

    def mean(self) -> dict[str, Tensor]:
        """Return the mean of the models so far, in their types."""
        return {
            name: (total / self.count).to(self._types[name]) for name, total in self._sum.items()
        }

    def mean_with(self, model: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the mean of the models so far and of another one."""
        return {
            name: (total / (self.count + 1)).to(model[name].dtype)
            for name, total in self._with(model).items()
        }

    def _with(self, model: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {
            name: self._sum[name] + tensor if self.count else tensor.double()
            for name, tensor in model.items()
        }
