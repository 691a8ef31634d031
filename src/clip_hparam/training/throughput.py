"""Three steps of a trial and one batch of an evaluation, timed: what it will cost without a record.

Nothing is written. Resolution and epochs are scaled by `cost.predict` as those of a record are.
"""

import time
from itertools import chain, count, islice
from typing import Any

import torch

from clip_hparam.config.resolved_recipe import as_resolved
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.data.batches import Batches
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.splits import split_sizes
from clip_hparam.planning.cost import TrialCost
from clip_hparam.training.engine import eval_models, evaluate, train_step
from clip_hparam.training.factory import create_model, create_train_state
from clip_hparam.training.numerics import numerics_of

TIMED_STEPS = 3


def measure_throughput(tree: dict[str, Any]) -> TrialCost:
    """Of a job as `Job.to_dict` gives it; the step before the first one that counts warms up."""
    job = TrialSpec.from_dict(tree)
    recipe = as_resolved(job.recipe)
    torch.set_num_threads(numerics_of(recipe, job.machine).threads)
    images = load_dataset(recipe.data)
    batches = Batches(recipe, images, job.machine.loader_workers)
    fit = create_train_state(recipe, job.machine, create_model(recipe, batches.classes))
    drawn = chain.from_iterable(map(batches.train, count()))
    train_step(fit, 0, *next(drawn))
    started = time.monotonic()
    losses = [train_step(fit, 0, *batch) for batch in islice(drawn, TIMED_STEPS)]
    float(losses[-1])  # waits for a GPU
    trained = time.monotonic()
    scores = evaluate(fit.model, islice(batches.evaluation("selection"), 1), fit)
    an_image = (time.monotonic() - trained) / len(scores.top1_correct)
    _, held = split_sizes(images.train_labels, recipe.data.shots, recipe.data.selection)
    evaluated = recipe.epochs * int(held.sum()) + 2 * len(images.test.labels)
    return TrialCost(
        encoder=recipe.encoder.name,
        data=recipe.data.name,
        image_area=recipe.resolution**2,
        train_seconds_per_image=(trained - started) / (TIMED_STEPS * recipe.batch_size),
        other_seconds=an_image * evaluated * len(eval_models(fit)),
    )
