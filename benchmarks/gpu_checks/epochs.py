"""Train some steps of an epoch by the loop of a trial, and follow them."""

import time
from contextlib import closing, suppress

import torch
from torch import Tensor

from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.data.batches import Batches
from clip_hparam.data.datasets import load_dataset
from clip_hparam.training.callbacks.base import TrialCallback
from clip_hparam.training.engine import StoppedError, train_epoch
from clip_hparam.training.throughput import synchronize
from clip_hparam.training.train_state import TrainState


class StepClock(TrialCallback):
    """Times steps after a warm-up, and stops the epoch after them.

    Warm-up and steps together are fewer than 20, after which the loop reads the losses.
    """

    def __init__(self, device: torch.device, warm_up: int, steps: int) -> None:
        self.device, self.warm_up, self.steps = device, warm_up, steps
        self.started = self.seconds = self.waited = 0.0
        self.done = 0
        self.batches: Batches | None = None

    def begin(self) -> None:
        """Start what follows the steps."""

    def end(self) -> None:
        """End what follows the steps."""

    def on_step(self, step: int, total_steps: int) -> None:
        self.done = step
        if step == self.warm_up:
            synchronize(self.device)
            self.started, self.waited = time.perf_counter(), self._wait_seconds()
            self.begin()
        if step == self.warm_up + self.steps:
            self.end()
            synchronize(self.device)
            self.seconds = time.perf_counter() - self.started
            self.waited = self._wait_seconds() - self.waited

    def should_stop(self) -> bool:
        return self.done >= self.warm_up + self.steps

    def _wait_seconds(self) -> float:
        return 0.0 if self.batches is None else self.batches.wait.seconds


def train_steps(
    state: TrainState, recipe: ResolvedRecipe, clock: StepClock, workers: int | str
) -> list[Tensor]:
    """Train the steps of a clock, and return their losses."""
    losses: list[Tensor] = []
    batches = Batches(recipe, load_dataset(recipe.data), workers, device=state.device)
    clock.batches = batches
    with closing(batches), suppress(StoppedError):
        train_epoch(state, batches, 0, recipe.seed, clock, losses)
    return losses
