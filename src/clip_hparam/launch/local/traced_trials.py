"""Choose the trials whose compiled models the forkserver loads before it forks. Imports no torch.

A trial that is forked later then takes its first compiled step at once; without it each trial
imports the compiler and reads its cache, 4 CPU-s.
"""

import json
from collections.abc import Sequence

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.config.worker_spec import LaunchSpec, WorkerSpec
from clip_hparam.launch.resources import uses_gpu
from clip_hparam.model.architectures import encoder_spec
from clip_hparam.planning.compilation import ON

TRACED_VARIABLE = "CLIP_HPARAM_TRACED"  # the forkserver's environment: specs of trials, as JSON
TRACE_MODULE = "clip_hparam.launch.local.trace"
MAX_TRACED = 4  # trials of further shapes read the cache of the compiler themselves
SHAPE_KNOBS = ("resolution", "batch_size", "pool", "precision", "drop_path", "freeze")


def trials_to_trace(specs: Sequence[LaunchSpec]) -> list[TrialSpec]:
    """Return a trial of each shape that is compiled on a CPU with one thread.

    On a GPU the forkserver cannot trace: a process that has initialised CUDA cannot fork, and one
    with threads cannot either. The trials of a search are not known when its workers start.
    """
    traced: dict[str, TrialSpec] = {}
    for spec in specs:
        if isinstance(spec, WorkerSpec):
            continue
        threads = encoder_spec(spec.recipe.encoder.name).threads or spec.machine.threads
        on_cpu = not uses_gpu(spec.machine.device) and threads == 1
        if spec.machine.compile == ON and on_cpu:
            traced.setdefault(shape_of_trial(spec), spec)
    return list(traced.values())[:MAX_TRACED]


def shape_of_trial(spec: TrialSpec) -> str:
    """Return what the compiled graph of a trial depends on, as text."""
    recipe, machine = spec.recipe, spec.machine
    knobs = [getattr(recipe, name) for name in SHAPE_KNOBS]
    places = [recipe.encoder.name, recipe.data.name, machine.micro_batch, machine.kernels]
    return json.dumps([*knobs, *places, spec.gpus_per_trial])
