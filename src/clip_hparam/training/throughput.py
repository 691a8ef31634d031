"""Time a few steps of a trial, to predict the cost of a trial without a similar record."""

import time
from itertools import chain, count, islice
from typing import Any

from clip_hparam.config.resolved_recipe import as_resolved
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.data.batches import Batches
from clip_hparam.data.dataset import SELECTION
from clip_hparam.data.datasets import load_dataset
from clip_hparam.planning.cost import TrialCost
from clip_hparam.training.engine import evaluate, train_step
from clip_hparam.training.factory import create_model, create_train_state
from clip_hparam.training.numerics import device_of, numerics_of

TIMED_STEPS = 3


def measure_throughput(tree: dict[str, Any]) -> TrialCost:
    """Return the cost of a trial from TIMED_STEPS steps and the evaluation of one batch.

    One more step before these warms up. Nothing is written.
    tree: what `TrialSpec.to_dict` returns.
    """
    spec = TrialSpec.from_dict(tree)
    recipe = as_resolved(spec.recipe)
    numerics_of(recipe, spec.machine).apply()
    dataset = load_dataset(recipe.data)
    device = device_of(spec.machine)
    batches = Batches(recipe, dataset, spec.machine.loader_workers, device=device)
    state = create_train_state(recipe, spec.machine, create_model(recipe, batches.classes))
    train_batches = chain.from_iterable(map(batches.train, count()))
    train_step(state, 0, *next(train_batches))
    started = time.monotonic()
    losses = [train_step(state, 0, *batch) for batch in islice(train_batches, TIMED_STEPS)]
    float(losses[-1])  # waits for a GPU
    trained = time.monotonic()
    scores = evaluate(state.model, islice(batches.evaluation(SELECTION), 1), state)
    seconds_per_image = (time.monotonic() - trained) / len(scores.top1_correct)
    batches.close()
    selection = len(batches.eval_sets[SELECTION].labels)
    evaluated = recipe.epochs * selection + 2 * len(dataset.test.labels)
    return TrialCost(
        encoder=recipe.encoder.name,
        data=recipe.data.name,
        image_area=recipe.resolution**2,
        train_seconds_per_image=(trained - started) / (TIMED_STEPS * recipe.batch_size),
        other_seconds=seconds_per_image * evaluated * len(state.eval_models),
    )
