"""Choose algorithms that give the same bits each time (machine.deterministic)."""

import os

import torch

from clip_hparam.training.device.numerics import UnsupportedMachineError

WORKSPACE_VARIABLE = "CUBLAS_WORKSPACE_CONFIG"
WORKSPACES = (":4096:8", ":16:8")
"""Workspaces with which cuBLAS gives the same bits each time; it reads them when CUDA starts.

Source: https://docs.nvidia.com/cuda/cublas/#results-reproducibility
"""


def set_deterministic(wanted: bool, device: torch.device) -> None:
    """Make all operations of this process deterministic, or let torch choose the fastest.

    An operation that has no deterministic algorithm then raises RuntimeError, which names it.

    Raises: UnsupportedMachineError if CUDA has started already without what it needs.
    """
    if wanted and device.type == "cuda":
        _set_workspace()
    torch.use_deterministic_algorithms(wanted)
    # filling costs time and changes no result
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.deterministic = wanted
    torch.backends.cudnn.benchmark = False


def _set_workspace() -> None:
    if os.environ.get(WORKSPACE_VARIABLE) in WORKSPACES:
        return
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        raise UnsupportedMachineError(
            "machine.deterministic=true must be set before CUDA starts, and another trial of this"
            f" process has started it: set {WORKSPACE_VARIABLE}={WORKSPACES[0]} in the shell"
        )
    os.environ[WORKSPACE_VARIABLE] = WORKSPACES[0]
