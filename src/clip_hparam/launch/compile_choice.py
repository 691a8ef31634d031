"""Resolve `machine.compile=auto` for the trials of a command, where they run."""

from collections.abc import Sequence

from clip_hparam.config.text.wrap import print_wrapped
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.resources import uses_gpu
from clip_hparam.planning.compilation import CompileChoice, choose_compile, resolve_compile


def choose_for(specs: Sequence[TrialSpec], is_local: bool = True) -> CompileChoice:
    """Return the choice for trials on this computer, or on nodes of a scheduler.

    A scheduler's nodes are taken for GPU nodes unless `machine.device=cpu`.
    """
    device = specs[0].machine.device
    on_gpu = uses_gpu(device) if is_local else device != "cpu"
    return choose_compile(specs, on_gpu, is_local)


def resolve_single(spec: TrialSpec) -> TrialSpec:
    """Return a trial that runs by itself with `machine.compile` resolved; print why it is on."""
    choice = choose_for([spec])
    if not choice.is_obvious:
        print_wrapped(choice.reason)
    return resolve_compile(spec, choice)
