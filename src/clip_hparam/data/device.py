"""Copy a tensor to the device of a trial."""

import torch
from torch import Tensor


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a copy on the device for which the host does not wait; on a CPU the tensor itself."""
    source = tensor.pin_memory() if device.type == "cuda" else tensor
    return source.to(device, non_blocking=True)
