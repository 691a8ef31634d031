"""The state of a trial in training."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from clip_hparam.distributed import SINGLE_PROCESS, DistributedContext
from clip_hparam.model.classifier import Classifier
from clip_hparam.planning.estimates.memory import MemoryEstimate
from clip_hparam.training.optim.adamw import FlatAdamW
from clip_hparam.training.optim.ema import WeightEma
from clip_hparam.training.optim.flat_parameters import FlatParameters
from clip_hparam.training.ranks.replica import Replica

AUTOCAST_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass
class TrainState:
    """A model in training, with all that an optimizer step needs.

    weights: the parameters that are trained.
    schedule: base learning rate at each step, shape (steps,); a parameter group multiplies it by
    its lr_scale.
    micro_batch: images of this rank per forward pass; 0 for the whole batch. It is halved after an
        out-of-memory error.
    smallest_micro_batch: 2 if rows of a batch are mixed in pairs.
    predict_memory: returns the memory on a GPU.
    replica: calls the model and averages its gradients over the ranks.
    drop_paths: those of the model.
    """

    model: Classifier
    replica: Replica
    weights: FlatParameters
    ema: WeightEma | None
    optimizer: FlatAdamW
    scaler: torch.amp.GradScaler
    schedule: NDArray[np.float64]
    device: torch.device
    predict_memory: Callable[[], MemoryEstimate]
    precision: str = "fp32"
    clip_grad: float = 0.0
    micro_batch: int = 0
    context: DistributedContext = SINGLE_PROCESS
    smallest_micro_batch: int = 1

    def __post_init__(self) -> None:
        self.drop_paths = self.model.drop_paths  # a walk over all modules, 0.1 ms

    @property
    def eval_models(self) -> dict[str, nn.Module]:
        """The models to evaluate: "raw", then "ema" if the trial has an EMA."""
        return {"raw": self.model} | ({} if self.ema is None else {"ema": self.ema.module})

    @property
    def flat_weights(self) -> dict[str, Tensor]:
        """The trained weights of each of `eval_models`: a flat tensor, of which they are views."""
        average = {} if self.ema is None else {"ema": self.ema.average}
        return {"raw": self.weights.values} | average

    @property
    def reported_weights(self) -> str:
        """The weights whose accuracy is reported: "ema" if the trial has an EMA, else "raw"."""
        return "raw" if self.ema is None else "ema"

    def autocast(self) -> AbstractContextManager[None]:
        dtype = AUTOCAST_DTYPES.get(self.precision)
        return nullcontext() if dtype is None else torch.autocast(self.device.type, dtype)
