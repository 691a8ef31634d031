"""A forkserver that has loaded a compiled model has one thread; its children compile nothing."""

from pathlib import Path

import pytest
from support.cli import Done, python

from clip_hparam.training.compilation.compiler import CACHE_VARIABLE

COMPILE_SECONDS = 1800.0
"""The C++ of a step is compiled from an empty cache: minutes, and far longer beside other work."""
SCRIPT = """
import os, torch
from dataclasses import replace
from torch._dynamo.utils import counters
from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.resolved_recipe import as_resolved
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.data.batches import Batches
from clip_hparam.data.datasets import load_dataset
from clip_hparam.launch.local import trace
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.engine import train_epoch
from clip_hparam.training.factory import create_model, create_train_state
from clip_hparam.training.device.numerics import numerics_of

knobs = {"data.epoch_images": 100, "data.selection": 2.0, "drop_path": 0.2}
recipe = as_resolved(resolve(with_values(Recipe(), knobs)))
spec = TrialSpec(recipe, Machine(device="cpu", compile="on"))
assert trace.trace(spec)
assert len(os.listdir("/proc/self/task")) == 1
graphs = counters["stats"]["unique_graphs"]
child = os.fork()
if not child:
    numerics = numerics_of(recipe, spec.machine)
    numerics.apply()
    batches = Batches(recipe, load_dataset(recipe.data))
    model = create_model(recipe, batches.classes)
    state = create_train_state(recipe, spec.machine, model, kernels=numerics.kernel_choice)
    loss = train_epoch(state, batches, 0, 7)
    print(numerics.compile, loss > 0, counters["stats"]["unique_graphs"] == graphs, flush=True)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


def run(script: str, folder: Path) -> Done:
    """Run a script with an empty cache of the compiler and one thread."""
    one_thread = {"OMP_NUM_THREADS": "1", CACHE_VARIABLE: str(folder)}
    return python("-c", script, cwd=folder, timeout=COMPILE_SECONDS, **one_thread)


@pytest.mark.slow
def test_children_of_a_tracing_process_do_not_compile(tmp_path: Path) -> None:
    done = run(SCRIPT, tmp_path)
    assert (done.code, done.out) == (0, "True True True\n"), done.err


@pytest.mark.slow
def test_a_process_without_a_cached_model_runs_no_autograd(tmp_path: Path) -> None:
    nothing_cached = "trace._compile_in_child = lambda *_: None\nassert not trace.trace(spec)"
    script = SCRIPT.replace("assert trace.trace(spec)", nothing_cached).partition("graphs =")[0]
    done = run(script, tmp_path)
    assert done.code == 0, done.err
