"""Record the machine of each attempt at a trial, and keep the choices of the first attempt."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from clip_hparam.config.knob import AUTO
from clip_hparam.config.resolved_recipe import as_resolved
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.data.datasets import load_dataset
from clip_hparam.distributed import DistributedContext
from clip_hparam.planning.compilation import OFF, ON
from clip_hparam.records.record import Record
from clip_hparam.records.state import TrialState
from clip_hparam.training.device.numerics import (
    Numerics,
    device_of,
    keep_choices,
    numerics_facts,
    numerics_of,
    read_numerics,
)
from clip_hparam.training.memory.micro_batch import choose_micro_batch

logger = logging.getLogger(__name__)


def record_numerics(spec: TrialSpec, record: Record, context: DistributedContext) -> list[Numerics]:
    """Return the Numerics of all attempts, the last of which is this one, and record them.

    A resumed trial keeps what its first attempt chose: threads, kernels and compile.
    """
    numerics = numerics_of(as_resolved(spec.recipe), spec.machine, context.local_rank)
    names = dict.fromkeys(context.all_gather([numerics.device_name]))
    numerics = replace(numerics, device_name=" and ".join(names))
    earlier = read_numerics(record.status())
    if earlier:
        numerics = keep_choices(numerics, earlier[0])
        if spec.machine.kernels not in (AUTO, numerics.kernels):
            logger.warning(
                "machine.kernels=%s has no effect: the trial began with %s kernels and keeps them",
                spec.machine.kernels,
                numerics.kernels,
            )
        if spec.machine.compile not in (AUTO, ON if earlier[0].compile else OFF):
            logger.warning(
                "machine.compile=%s has no effect: the trial began %s and stays so",
                spec.machine.compile,
                "compiled" if earlier[0].compile else "eager",
            )
    attempts = [
        *earlier,
        replace(
            numerics.with_ranks(context.world_size),
            micro_batch=_micro_batch(spec, earlier[-1:], context),
        ),
    ]
    if context.is_main:
        record.write_status(TrialState.RUNNING, **numerics_facts(attempts))
    return attempts


def _micro_batch(spec: TrialSpec, last: Sequence[Numerics], context: DistributedContext) -> int:
    """Return the images of this rank in a forward pass; auto keeps those of the last attempt."""
    if spec.machine.micro_batch == AUTO and last and last[0].ranks == context.world_size:
        return last[0].micro_batch
    recipe = as_resolved(spec.recipe)
    device = device_of(spec.machine, context.local_rank)
    classes = len(load_dataset(recipe.data).classes)
    return choose_micro_batch(recipe, spec.machine, device, classes, context)
