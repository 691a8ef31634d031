"""The commands with Hydra 1.4, of which only a release candidate exists: the same as with 1.3."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.cli import SHORT, results, sweep, sweep_process

HYDRA_1_4 = ("hydra-core>=1.4.0rc3,<1.5", "omegaconf>=2.4.1rc1,<2.5")
COMMANDS = (
    ("-m", "sweeps=ladder", "seeds=5", "dry_run=true"),
    ("-m", "sweeps=factorial", "family=b16", "data=digits", "dry_run=true"),
    ("-m", "recipe=llrd,ema", "seeds=2", "dry_run=true"),
    ("-m", "lr=1e-3,1e-2", "layer_decay=range(0.5,1,0.25)", "seeds=2", "dry_run=true"),
    ("-m", "lr=tag(log,interval(1e-4,1e-2))", "hydra.sweeper.n_trials=9", "dry_run=true"),
    ("-m", "sweeps=lr", "hydra/launcher=submitit_slurm", "hydra.launcher.partitoin=gpu"),
    ("recipe=lrd",),
    ("-m", "ler=1e-3"),
)  # fmt: skip


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Install Hydra 1.4 into a folder of its own; return the PYTHONPATH that puts it first."""
    folder = tmp_path_factory.mktemp("hydra")
    install = ("-m", "pip", "install", "--quiet", "--pre", "--no-deps", "--target", folder)
    done = subprocess.run(
        [sys.executable, *map(str, install), *HYDRA_1_4],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and "CI" not in os.environ:
        pytest.skip("Hydra 1.4 cannot be fetched")
    assert done.returncode == 0, done.stderr
    version = subprocess.run(
        [sys.executable, "-c", "import hydra; print(hydra.__version__)"],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert version.stdout.startswith("1.4.")
    return os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_command_prints_the_same_with_hydra_1_4(
    words: tuple[str, ...], overlay: str, tmp_path: Path
) -> None:
    new = sweep_process(*words, cwd=tmp_path, PYTHONPATH=overlay)
    assert new == sweep(*words, cwd=tmp_path)


def test_trial_has_the_same_id_and_result_with_hydra_1_4(overlay: str, tmp_path: Path) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    for folder, path in ((new, overlay), (old, os.environ.get("PYTHONPATH", ""))):
        folder.mkdir()
        done = sweep_process("recipe=llrd", "lr=2e-3", *SHORT, cwd=folder, PYTHONPATH=path)
        assert done.code == 0, done.err
    assert results(new) == results(old)
    assert len(results(new)) == 1
