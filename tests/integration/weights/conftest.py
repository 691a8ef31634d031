"""Trials of a second each that have kept their weights."""

from pathlib import Path
from typing import Any

import pytest

from clip_hparam.config.machine import Machine
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.record import Record
from clip_hparam.training.trial import run_trial

SHORT = {"epochs": 2, "data.epoch_images": 100, "data.selection": 5.0, "warmup": 0.0, "lr": 1e-3}
ZERO_SHOT = {"pool": "clip", "head_init": "zero_shot"}
TRIALS: dict[str, dict[str, Any]] = {
    "words": {**ZERO_SHOT, "ema_decay": 0.5},
    "words_lora": {**ZERO_SHOT, "ema_decay": 0.5, "tune": "lora", "lr": 1e-2},
    "words_scaled": {**ZERO_SHOT, "ema_decay": 0.5, "logit_scale": "trained", "seed": 1},
    "probe": {"head_init": "linear_probe"},
    "random": {"tune": "bias"},
}


EVAL_SETS = {"words_lora": ("glyphs", "corrupted_5"), "random": ("glyphs",)}
"""Of the trials that have such sets."""


def trial_spec(
    runs: Path, keep: str = "best", eval_sets: tuple[str, ...] = (), **knobs: Any
) -> TrialSpec:
    recipe = resolve(with_values(Recipe(), {**SHORT, **knobs}))
    machine = Machine(runs=str(runs), device="cpu")
    return TrialSpec(recipe, machine, keep_checkpoints=keep, eval_sets=eval_sets)


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Record]:
    """Run the trials of TRIALS, and one without weights, and return their records by name."""
    runs = tmp_path_factory.mktemp("kept") / "runs"
    specs = {
        name: trial_spec(runs, eval_sets=EVAL_SETS.get(name, ()), **knobs)
        for name, knobs in TRIALS.items()
    }
    specs["without"] = trial_spec(runs, keep="none", seed=5)
    for spec in specs.values():
        assert run_trial(spec).state == "done"
    return {name: Record(runs, spec.trial_id) for name, spec in specs.items()}
