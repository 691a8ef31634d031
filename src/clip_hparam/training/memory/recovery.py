"""Do a step again with fewer images at once after an out-of-memory error."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from clip_hparam.config.text.count import counted
from clip_hparam.training.memory.micro_batch import (
    DeviceMemoryError,
    describe_memory_of,
    format_need,
)

if TYPE_CHECKING:
    from clip_hparam.training.train_state import TrainState

logger = logging.getLogger(__name__)


def step_within_memory(state: "TrainState", rows: int, step: Callable[[], Tensor]) -> Tensor:
    """Run `step` and return its result; halve `state.micro_batch` after each out-of-memory error.

    A step is repeated from the same weights. Steps of several ranks are not repeated, because ranks
    exchange gradients inside a step.

    rows: batch rows of this rank.

    Raises: DeviceMemoryError if the micro-batch cannot be halved, or the weights may have changed.
    """
    while True:
        updates = state.optimizer.updates
        try:
            return step()
        except torch.OutOfMemoryError as error:
            reason = str(error).partition("\n")[0]
        # here the error is gone, and with it the tensors of its frames
        before = state.micro_batch or rows
        smaller = smaller_micro_batch(rows, before, state.smallest_micro_batch)
        if smaller is None or state.optimizer.updates != updates or state.context.world_size > 1:
            raise DeviceMemoryError(_sentence(state, before, smaller, reason))
        logger.warning(
            "out of memory with %d images at once: the step is done again with %d", before, smaller
        )
        state.micro_batch = smaller
        for parameter in state.weights.parameters:
            parameter.grad = None
        if state.device.type == "cuda":
            torch.cuda.empty_cache()


def smaller_micro_batch(rows: int, size: int, smallest: int) -> int | None:
    """Return the largest divisor of the rows of at most half the size; None if there is none.

    smallest: the result is a multiple of it.
    """
    divisors = (n for n in range(size // 2, 0, -1) if rows % n == 0 and n % smallest == 0)
    return next(divisors, None)


def _sentence(state: "TrainState", size: int, smaller: int | None, reason: str) -> str:
    """Return the message: which memory is full, what the trial needs, and what to type."""
    ranks, where = state.context.world_size, describe_memory_of(state.device)
    in_ranks = f" in each of {ranks} ranks" if ranks > 1 else ""
    hints = [f"machine.micro_batch={smaller * ranks}"] if smaller else []
    if not state.model.transformer.grad_checkpointing:
        hints.append("machine.activation_checkpointing=true")
    return (
        f"out of memory: the trial trains {counted(size, 'image')} at once{in_ranks}, and"
        f" needs {format_need(state.predict_memory(), size)}; {where} ({reason}): try"
        f" {', '.join([*hints, 'a device with more memory'])}"
    )
