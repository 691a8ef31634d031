"""Decide once for all trials of a sweep whether their models are compiled. Imports no torch.

Compiled and eager trials differ in the last bits, so cells are only comparable if all of them make
the same choice. `machine.compile=auto` compiles where the training steps of all trials together
save more time than compilation takes.
"""

import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from operator import mul
from pathlib import Path
from typing import NamedTuple

from clip_hparam.config.knob import AUTO
from clip_hparam.config.resolved_recipe import as_resolved
from clip_hparam.config.text.duration import format_duration
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.planning.estimates.throughput import DEVICES, gpu_seconds, operations
from clip_hparam.records.record import Record

ON, OFF = "on", "off"
MARGIN = 2.0  # saved seconds per second of compilation: both are estimates


class CompileChoice(NamedTuple):
    """Whether to compile, and the reason as a sentence.

    is_obvious: whether the reason is only that the trials are short.
    """

    compile: bool
    reason: str
    is_obvious: bool = False


@dataclass(frozen=True)
class CompilationCost:
    """Seconds of compilation, and the share of a training step that it saves.

    first: seconds of a sweep's first trial. later: seconds of each further one.
    saved: share by precision, "fp32" for all that are not listed.
    """

    first: float
    later: float
    saved: Mapping[str, float]

    def saved_share(self, precision: str) -> float:
        return self.saved.get(precision, self.saved["fp32"])


CPU_COST = CompilationCost(first=35.0, later=0.0, saved={"fp32": 0.05, "bf16": 0.18})
"""Measured: 34 CPU-s at width 64, 21 at width 192, which the forkserver spends once for all trials.
Shares at width 192, the lower ones (benchmarks/step.py: 1.05 x, 1.22 x; at width 64 1.20 and 1.43).
"""
CPU_FLOPS_PER_SECOND = 40e9  # one thread in a training step at width 64
GPU_COST = CompilationCost(first=90.0, later=30.0, saved={"fp32": 0.25})
"""By arithmetic over the memory traffic of a step and not measured: 2,700 to 3,600 images a second
on an H100. Each process compiles, because a process that has used CUDA cannot fork."""


def choose_compile(specs: Sequence[TrialSpec], on_gpu: bool, is_local: bool) -> CompileChoice:
    """Return the choice for the trials of a sweep that leave it to `machine.compile=auto`.

    specs: all trials, also those that are done. on_gpu: where they train. is_local: whether this
    computer trains, so that its compiler counts.
    """
    open_specs = [spec for spec in specs if spec.machine.compile == AUTO]
    if not open_specs:
        return CompileChoice(False, "machine.compile is given for each trial", is_obvious=True)
    recorded = next(filter(None, map(_recorded_choice, open_specs)), None)
    if recorded is not None:
        return recorded
    cost = GPU_COST if on_gpu else CPU_COST
    times = [training_seconds(spec, on_gpu) for spec in open_specs]
    shares = [cost.saved_share(spec.recipe.precision) for spec in open_specs]
    seconds, saved = sum(times), sum(map(mul, times, shares))
    price = cost.first + cost.later * (len(open_specs) - 1)
    compared = (
        f"by arithmetic the training steps take {format_duration(seconds)}, of which compilation"
        f" would save {format_duration(saved)}, and it takes {format_duration(price)}"
    )
    if saved < MARGIN * price:
        return CompileChoice(False, f"the trials run eager: {compared}", is_obvious=True)
    reason = missing_compiler(on_gpu) if is_local else ""
    if reason:
        return CompileChoice(False, f"the trials run eager: {reason} ({compared})")
    return CompileChoice(True, f"the trials are compiled: {compared}")


def resolve_compile(spec: TrialSpec, choice: CompileChoice) -> TrialSpec:
    """Return the trial with `machine.compile=auto` replaced by the choice of its sweep."""
    if spec.machine.compile != AUTO:
        return spec
    value = ON if choice.compile else OFF
    return replace(spec, machine=replace(spec.machine, compile=value))


def training_seconds(spec: TrialSpec, on_gpu: bool) -> float:
    """Return the seconds of the training steps of a trial by arithmetic, on all its devices."""
    recipe = as_resolved(spec.recipe)
    if on_gpu:
        return gpu_seconds(recipe, DEVICES[spec.machine.device_name]) / spec.gpus_per_trial
    return operations(recipe) / CPU_FLOPS_PER_SECOND / spec.gpus_per_trial


def missing_compiler(on_gpu: bool) -> str:
    """Return what is missing for torch.compile here, as the start of a sentence; "" if nothing is.

    On a GPU that is triton and a C compiler, on a CPU a C++ compiler and the headers of Python.
    """
    if on_gpu:
        if find_spec("triton") is None:
            return "triton is not installed"
        given = os.environ.get("CC")
        names = [given] if given else ["gcc", "cc", "clang"]
    else:
        given = os.environ.get("CXX")
        names = [given] if given else ["clang++" if sys.platform == "darwin" else "g++"]
        if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
            return "the headers of Python (Python.h) are not installed"
    if not any(map(shutil.which, names)):
        return f"there is no compiler ({' or '.join(names)})"
    return ""


def _recorded_choice(spec: TrialSpec) -> CompileChoice | None:
    """Return the choice of the first attempt at a trial; None for a trial that has not started."""
    status = Record(spec.machine.runs, spec.trial_id).status()
    numerics = status.get("numerics_of_attempts", [status.get("numerics")])[0]
    if not numerics or "compile" not in numerics:
        return None
    how = "compiled" if numerics["compile"] else "eager"
    reason = f"trial {spec.trial_id} of this sweep ran {how}, so all of its trials do"
    return CompileChoice(bool(numerics["compile"]), reason, is_obvious=not numerics["compile"])
