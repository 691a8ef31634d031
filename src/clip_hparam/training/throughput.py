"""Three steps of a trial and one batch of an evaluation, timed: what it will cost without a record.

Nothing is written. Resolution and epochs are scaled by `cost.predict` as those of a record are.
"""

import time
from itertools import chain, count, islice
from typing import Any

import torch

from clip_hparam.config.trial_spec import Job
from clip_hparam.data.batches import Batches
from clip_hparam.data.datasets import source
from clip_hparam.data.splits import sizes
from clip_hparam.planning.cost import Measured
from clip_hparam.training.engine import evaluate, train_step
from clip_hparam.training.factory import classifier, fit_of, numerics_of
from clip_hparam.training.progress import models_of

STEPS = 3


def probe(tree: dict[str, Any]) -> Measured:
    """Of a job as `Job.to_dict` gives it; the step before the first one that counts warms up."""
    job = Job.from_dict(tree)
    recipe = job.recipe
    torch.set_num_threads(numerics_of(recipe, job.machine).threads)
    images = source(recipe.data)
    batches = Batches(recipe, images, job.machine.loader_workers)
    fit = fit_of(recipe, job.machine, classifier(recipe, batches.classes))
    drawn = chain.from_iterable(map(batches.train, count()))
    train_step(fit, 0, *next(drawn))
    started = time.monotonic()
    losses = [train_step(fit, 0, *batch) for batch in islice(drawn, STEPS)]
    float(losses[-1])  # waits for a GPU
    trained = time.monotonic()
    scores = evaluate(fit.model, islice(batches.selection(), 1), fit)
    an_image = (time.monotonic() - trained) / len(scores.right1)
    _, held = sizes(images.labels, recipe.data.shots, recipe.data.selection)
    evaluated = recipe.epochs * int(held.sum()) + 2 * len(images.test_labels)
    return Measured(
        encoder=recipe.encoder.name,
        data=recipe.data.name,
        pixels=int(recipe.resolution) ** 2,
        train_seconds=(trained - started) / (STEPS * recipe.batch_size),
        other_seconds=an_image * evaluated * len(models_of(fit)),
    )
