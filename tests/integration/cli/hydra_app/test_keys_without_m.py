"""Each key of the driver has its effect on a trial without -m, or is refused there."""

from dataclasses import fields
from pathlib import Path

import pytest
from support.cli import plan, sweep

from clip_hparam.cli.hydra_app.grammar.single_keys import SWEEP_ONLY
from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.config.trial_spec import PER_TRIAL_OPTIONS

WITHOUT_EFFECT = {
    "seeds": "3",
    "dry_run": "true",
    "budget": "1h",
    "workers": "2",
    "retries": "1",
    "detach": "true",
    "trials_per_job": "2",
    "snapshot": "true",
    "name": "mine",
    "tags": "[a]",
}
"""A value of each key that asks a single trial for something it does not do."""
SAME_ANYHOW = {"confirm"}
"""Keys whose every value a single trial satisfies."""


def test_every_key_of_the_driver_is_passed_on_or_is_for_sweeps() -> None:
    keys = {field.name for field in fields(SweepOptions)}
    assert keys == set(SWEEP_ONLY) | set(PER_TRIAL_OPTIONS)
    assert not set(SWEEP_ONLY) & set(PER_TRIAL_OPTIONS)
    assert set(WITHOUT_EFFECT) | SAME_ANYHOW == set(SWEEP_ONLY)


@pytest.mark.parametrize("key", WITHOUT_EFFECT)
def test_a_key_of_the_driver_is_refused_without_m(key: str, tmp_path: Path) -> None:
    word = f"{key}={WITHOUT_EFFECT[key]}"
    done = plan("lr=1e-3", word, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"{word} is for sweeps: ")
    assert "add -m" in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("hydra.sweeper.n_trials=3", "is for searches: add -m"),
        ("hydra.sweeper.sampler.seed=1", "is for searches: add -m"),
        ("hydra/launcher=inline", "chooses where the trials of a sweep run"),
        ("hydra.launcher.timeout_min=5", "chooses where the trials of a sweep run"),
    ],
)
def test_a_setting_of_the_sweeper_or_launcher_is_refused_without_m(
    word: str, sentence: str, tmp_path: Path
) -> None:
    words = ("machine=slurm_gpu",) if "timeout" in word else ()
    done = plan(*words, word, cwd=tmp_path)
    assert done.code == 2
    assert f"{word} {sentence}" in done.err
    assert list(tmp_path.iterdir()) == []


def test_all_refused_keys_are_listed_at_once(tmp_path: Path) -> None:
    done = plan("budget=1h", "retries=2", "name=a", cwd=tmp_path)
    assert [line.partition(" ")[0] for line in done.err.splitlines()] == [
        *("budget=1h", "retries=2", "name=a")
    ]


def test_values_that_a_single_trial_satisfies_are_accepted(tmp_path: Path) -> None:
    """The machine has a launcher too, of which a note says that it is not used."""
    (tmp_path / "machine").mkdir()
    (tmp_path / "machine" / "mine.yaml").write_text(
        "# @package _global_\ndefaults: [override /hydra/launcher: submitit_local]\nworkers: 4\n"
    )
    same = ("retries=0", "workers=1", "budget=none", "snapshot=false", "confirm=true", "tags=null")
    options = ("--config-dir", str(tmp_path), "machine=mine")
    short = ("epochs=1", "data.epoch_images=50")
    done = sweep(*options, *short, *same, cwd=tmp_path)
    assert done.code == 0, done.err
    assert "not through hydra/launcher=submitit_local: add -m" in done.err
