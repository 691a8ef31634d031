"""Load the compiled models of the coming trials when this module is imported, before they fork.

A child process does a forward and a backward pass, which compiles both and writes them to the
compiler's cache. This process then reads the cache by a forward pass. It must not run autograd,
whose threads do not survive a fork: neither a backward pass, nor the compiler's trace of one.
"""

import ctypes
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from clip_hparam.config.machine import Machine
from clip_hparam.config.resolved_recipe import as_resolved
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.data.batches import Batches
from clip_hparam.data.datasets import load_dataset
from clip_hparam.distributed import DistributedContext
from clip_hparam.launch.local.traced_trials import TRACED_VARIABLE
from clip_hparam.training.device.numerics import numerics_of
from clip_hparam.training.factory import create_model, create_train_state
from clip_hparam.training.train_state import TrainState

SET_PARENT_DEATH_SIGNAL = 1  # prctl(2)


class AutogradRefusedError(RuntimeError):
    """The cache does not hold the backward pass, so that the compiler would trace it here."""


def trace(spec: TrialSpec) -> bool:
    """Compile the model of a trial for the children of this process; return whether it is loaded.

    Raises: what the trial raises, such as ValueError for images that cannot be read.
    """
    machine = Machine(**{**spec.to_dict()["machine"], "device": "cpu"})  # CUDA is not touched
    recipe = as_resolved(spec.recipe)
    numerics = numerics_of(recipe, machine)
    if not numerics.compile:
        return False
    numerics.apply()
    share = DistributedContext(rank=0, world_size=spec.gpus_per_trial)
    batches = Batches(recipe, load_dataset(recipe.data), 0, share)
    model = create_model(recipe, batches.classes)
    state = create_train_state(recipe, machine, model, kernels=numerics.kernel_choice)
    state.model.train()
    images, _ = next(batches.train(0))
    images = images[: machine.micro_batch_of_rank(spec.gpus_per_trial) or len(images)]
    _compile_in_child(state, images)
    with suppress(RuntimeError), _autograd_refused():  # the compiler wraps the error
        forward(state, images)
        return True
    return False


def forward(state: TrainState, images: Tensor) -> Tensor:
    """Return the logits of one micro-batch, computed as a training step computes them."""
    paths = state.model.drop_paths
    draws = torch.zeros(len(images), len(paths))
    for column, path in enumerate(paths):
        path.draws = draws[:, column]
    with state.autocast():
        logits: Tensor = state.model(images)
    return logits


def _compile_in_child(state: TrainState, images: Tensor) -> None:
    """Compile both passes in a child process, which prints nothing: trials report their errors."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        exit_with_parent_process()
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        forward(state, images).sum().backward()  # type: ignore[no-untyped-call]
    finally:
        os._exit(0)


@contextmanager
def _autograd_refused() -> Iterator[None]:
    """Raise AutogradRefusedError in the `with` block where the compiler would trace a backward."""

    def refuse(*words: Any, **options: Any) -> None:
        raise AutogradRefusedError

    with patch.object(torch.autograd, "grad", refuse):
        yield


def exit_with_parent_process(number: int = signal.SIGKILL) -> None:
    """Ask Linux to send a signal to this process when its parent exits; 0 for none."""
    ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, number)


def _trace_asked() -> None:
    """Trace the trials that the environment lists; errors are left for the trials to report."""
    exit_with_parent_process()
    interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for tree in json.loads(os.environ.get(TRACED_VARIABLE, "[]")):
            with suppress(ValueError, OSError, RuntimeError):
                trace(TrialSpec.from_dict(tree))
    finally:
        signal.signal(signal.SIGINT, interrupt)
        exit_with_parent_process(0)


if sys.platform == "linux":
    _trace_asked()
