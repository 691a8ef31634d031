"""Exponential moving average of the trained weights."""

from copy import deepcopy

import torch
from torch import nn

from clip_hparam.training.optim.flat_parameters import FlatParameters


class WeightEma:
    """Moving average, in the precision of the weights, that starts at the current weights.

    Bit-identical to timm's ModelEmaV3; updates all weights in one operation.

    weights: the trained parameters of the model. The others are constant, and so is their average.
    average: the average of `weights`, laid out as these.
    module: copy of the model that holds the average, in evaluation mode.
    """

    def __init__(self, model: nn.Module, weights: FlatParameters, decay: float) -> None:
        self.module = deepcopy(model).eval()
        self.decay = decay
        self._weights = weights.values
        self.average = FlatParameters(self.module, weights.names).values

    @torch.no_grad()
    def update(self) -> None:
        """Move the average towards the current weights by 1 - decay of the distance."""
        self.average.lerp_(self._weights, 1 - self.decay)
