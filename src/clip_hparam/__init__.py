"""Hyper-parameter sweeps and ablation studies for fine-tuning CLIP.

The public names are imported when they are first used: `import clip_hparam` costs milliseconds.

    from clip_hparam import Machine, Recipe, TrialSpec, resolve, run_trial

    outcome = run_trial(TrialSpec(resolve(Recipe(lr=1e-3)), Machine(runs="runs")))
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from clip_hparam import renamed

if TYPE_CHECKING:
    from clip_hparam.analysis.frames.frame import Frames, load
    from clip_hparam.config.identity import trial_id
    from clip_hparam.config.machine import Machine
    from clip_hparam.config.recipe import Data, Encoder, Recipe
    from clip_hparam.config.trial_spec import TrialSpec
    from clip_hparam.planning.resolve import resolve
    from clip_hparam.records.record import Record
    from clip_hparam.training.trial import run_trial

logging.getLogger(__name__).addHandler(logging.NullHandler())  # the program sets the handlers
__version__ = "0.1.0"
__all__ = [
    "Data",
    "Encoder",
    "Frames",
    "Machine",
    "Recipe",
    "Record",
    "TrialSpec",
    "load",
    "resolve",
    "run_trial",
    "trial_id",
]
_HOMES = {
    "Data": "config.recipe",
    "Encoder": "config.recipe",
    "Frames": "analysis.frames.frame",
    "Machine": "config.machine",
    "Recipe": "config.recipe",
    "Record": "records.record",
    "TrialSpec": "config.trial_spec",
    "load": "analysis.frames.frame",
    "resolve": "planning.resolve",
    "run_trial": "training.trial",
    "trial_id": "config.identity",
}

renamed.install()


def __getattr__(name: str) -> Any:
    """Import a public name from its module (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
