"""Choose the images of a forward pass from the predicted memory of a trial and the free memory."""

import logging

import torch

from clip_hparam.config.knob import AUTO
from clip_hparam.config.machine import Machine
from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.distributed import SINGLE_PROCESS, DistributedContext
from clip_hparam.planning.estimates.memory import (
    MemoryEstimate,
    fitting_micro_batch,
    mixes_rows,
    predict_memory,
)

logger = logging.getLogger(__name__)


class DeviceMemoryError(RuntimeError):
    """The trial does not fit into the memory of the device; the message says what to type."""


def choose_micro_batch(
    recipe: ResolvedRecipe,
    machine: Machine,
    device: torch.device,
    classes: int,
    context: DistributedContext = SINGLE_PROCESS,
) -> int:
    """Return the images of this rank in a forward pass; 0 for all of them.

    With machine.micro_batch=auto it is what fits the free memory of a GPU, the same for all ranks,
    and on a CPU all images, so that numbers there do not depend on the memory.

    Raises: DeviceMemoryError if not a single image fits.
    """
    rows = recipe.batch_size // context.world_size
    if machine.micro_batch != AUTO:
        asked = machine.micro_batch_of_rank(context.world_size)
        return 0 if asked == rows else asked
    if device.type != "cuda":
        return 0
    estimate, free = predict_memory(recipe, machine, classes), free_bytes(device)
    fitting = fitting_micro_batch(estimate, free, rows, mixes_rows(recipe))
    smallest = min(context.all_gather([fitting or 0]))
    if not smallest:
        raise DeviceMemoryError(
            f"{describe_memory_of(device)}, and this trial needs {format_need(estimate, 1)}: free"
            " the card, choose another one with machine.device=cuda:N, or try"
            " machine.activation_checkpointing=true"
        )
    if smallest < rows:
        logger.info("micro-batch: %d of the %d images of a GPU at once", smallest, rows)
    return 0 if smallest == rows else smallest


def free_bytes(device: torch.device) -> int:
    """Return the memory of a GPU that this process can use: free, or cached by torch."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def describe_memory_of(device: torch.device) -> str:
    """Return the name of a device and, of a GPU, its free memory."""
    if device.type != "cuda":
        return f"the memory of the device {device.type} is full"
    _, total = torch.cuda.mem_get_info(device)
    free = free_bytes(device)
    return f"{torch.cuda.get_device_name(device)} has {free / 1e9:.3g} GB free of {total / 1e9:.3g}"


def format_need(estimate: MemoryEstimate, images: int) -> str:
    """Return the predicted memory of a step, with its parts."""
    return (
        f"{estimate.total(images) / 1e9:.3g} GB by prediction ({estimate.fixed / 1e9:.3g} GB and"
        f" {estimate.image / 1e6:.3g} MB an image)"
    )
