"""The trials that a command plans, without running them."""

from pathlib import Path

import pytest

from clip_hparam.cli.hydra_app import app, sweeper
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch import foreground
from clip_hparam.sweep.sweep import Sweep
from support.cli import sweep

DESIGN = "# @package hydra.sweeper.design\nname: mine\n"
RECIPE = "# @package _global_\ndefaults: [/recipe/tiny/weak_aug, _self_]\n"


def planned_sweep(*words: str, cwd: Path) -> Sweep:
    """Return the sweep of `python sweep.py -m WORDS` without running it."""
    planned: list[Sweep] = []

    def keep(one: Sweep, *_: object) -> int:
        planned.append(one)
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweeper, "run_sweep", keep)
        done = sweep("-m", *words, cwd=cwd)
    assert done.code == 0, done.err
    return planned[0]


def planned_trials(*words: str, cwd: Path) -> list[TrialSpec]:
    """Return the trials of `python sweep.py WORDS`, a trial of its own or a sweep.

    Folder `cwd`/conf holds further config files.
    """
    specs: list[TrialSpec] = []

    def keep_sweep(planned: Sweep, *_: object) -> int:
        specs.extend(plan.spec for plan in planned.planned)
        return 0

    def keep_trial(spec: TrialSpec) -> float:
        specs.append(spec)
        return 0.0

    conf = cwd / "conf"
    conf.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweeper, "run_sweep", keep_sweep)
        patch.setattr(app, "report_finished", lambda spec: None)
        patch.setattr(foreground, "run_in_foreground", keep_trial)
        done = sweep("--config-dir", str(conf), *words, cwd=cwd)
    assert done.code == 0, done.err
    return specs


def write_design(folder: Path, text: str) -> None:
    """Write conf/sweeps/mine.yaml, which `planned_trials` finds as sweeps=mine."""
    _write(folder / "conf" / "sweeps" / "mine.yaml", DESIGN + text)


def write_recipe(folder: Path, text: str) -> None:
    """Write conf/recipe/mine.yaml, which `planned_trials` finds as recipe=mine."""
    _write(folder / "conf" / "recipe" / "mine.yaml", RECIPE + text)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
