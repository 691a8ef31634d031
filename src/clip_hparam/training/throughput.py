"""Time a few steps of a trial, to predict the cost of a trial without a similar record.

One process does the work of one rank: its rows of each micro-batch and its share of the evaluation
sets. The exchange of gradients between ranks is not timed.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, count, islice
from typing import Any

import torch
from torch import Tensor

from clip_hparam.config.resolved_recipe import as_resolved
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.data.batches import Batches
from clip_hparam.data.dataset import SELECTION
from clip_hparam.data.datasets import load_dataset
from clip_hparam.distributed import DistributedContext
from clip_hparam.planning.estimates.cost import TrialCost
from clip_hparam.planning.estimates.cost_key import CostKey
from clip_hparam.training.device.deterministic import set_deterministic
from clip_hparam.training.device.numerics import device_of, numerics_of
from clip_hparam.training.engine import train_step
from clip_hparam.training.evaluation import evaluate
from clip_hparam.training.factory import create_model, create_train_state
from clip_hparam.training.train_state import TrainState

WARM_UP_STEPS = 1
TIMED_STEPS = 3
BATCHES_AHEAD = 2  # upper bound: DataLoader's prefetch_factor, per loader process
TrainBatches = Iterator[tuple[Tensor, Tensor]]


def measure_throughput(tree: dict[str, Any]) -> TrialCost:
    """Return the cost of a trial from TIMED_STEPS steps and the evaluation of one batch.

    tree: what `TrialSpec.to_dict` returns. Nothing is written.
    """
    spec = TrialSpec.from_dict(tree)
    recipe, machine, ranks = as_resolved(spec.recipe), spec.machine, spec.gpus_per_trial
    device = device_of(machine)
    set_deterministic(machine.deterministic, device)
    numerics = numerics_of(recipe, machine)
    numerics.apply()
    dataset = load_dataset(recipe.data)
    share = DistributedContext(rank=0, world_size=ranks)
    batches = Batches(recipe, dataset, machine.loader_workers, share, device)
    micro_batch = machine.micro_batch_of_rank(ranks) or machine.micro_batch
    own = replace(machine, micro_batch=micro_batch)
    model = create_model(recipe, batches.classes, device)
    state = create_train_state(recipe, own, model, kernels=numerics.kernel_choice)
    train_batches = chain.from_iterable(map(batches.train, count()))
    step_seconds = time_steps(state, train_batches, batches.workers)
    selection = len(batches.eval_sets[SELECTION].labels)
    evaluated = recipe.epochs * selection + 2 * len(dataset.test.labels)
    return TrialCost(
        encoder=recipe.encoder.name,
        data=recipe.data.name,
        key=CostKey(
            device_name=numerics.device_name,
            ranks=ranks,
            precision=recipe.precision,
            kernels=numerics.kernels,
            compile=numerics.compile,
        ),
        image_area=recipe.resolution**2,
        train_seconds_per_image=step_seconds / recipe.batch_size,
        other_seconds=time_evaluation(state, batches) * evaluated / ranks,
    )


def time_steps(state: TrainState, batches: TrainBatches, loader_workers: int) -> float:
    """Return the seconds of one step, its wait for images included.

    The device is idle at both ends of the measurement, and no image is ready at its start: batches
    that the loader processes prepared during the warm-up are read and dropped.
    """
    for batch in islice(batches, WARM_UP_STEPS):
        train_step(state, 0, *batch)
    synchronize(state.device)
    for _ in islice(batches, BATCHES_AHEAD * loader_workers):
        pass
    started = time.monotonic()
    for batch in islice(batches, TIMED_STEPS):
        train_step(state, 0, *batch)
    synchronize(state.device)
    return (time.monotonic() - started) / TIMED_STEPS


def time_evaluation(state: TrainState, batches: Batches) -> float:
    """Return the seconds of one image that all models of the trial evaluate."""
    started = time.monotonic()
    scores = evaluate(state.model, islice(batches.evaluation(SELECTION), 1), state)
    synchronize(state.device)
    seconds = time.monotonic() - started
    return seconds / len(scores.top1_correct) * len(state.eval_models)


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has completed all submitted work; return at once on a CPU."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
