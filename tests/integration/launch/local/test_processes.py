"""Processes of trials: forked with their images in memory; spawned where a fork is unsafe."""

from pathlib import Path

import pytest
from support.cli import SHORT, python, results, sweep

GRID = ("-m", "seeds=2", *SHORT)
DRIVE = (
    "import sys; from multiprocessing import forkserver;"
    "from clip_hparam.cli.hydra_app.app import main;"
    "from clip_hparam.launch.local.child import PRELOAD;"
    "{before}; sys.argv[1:] = {words}; code = main();"
    "forks = forkserver._forkserver._forkserver_pid is not None; assert forks is {forks};"
    "sys.exit(code)"
)
CUDA_INITIALISED = "import torch.cuda\ntorch.cuda._is_in_bad_fork = lambda: True\n"


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("forked")
    done = sweep(*GRID, cwd=folder)
    assert done.code == 0, done.err
    return results(folder)


@pytest.mark.parametrize(
    ("before", "forks", "messages"),
    [
        ("import pandas; sys.platform = 'darwin'", False, 0),  # pandas first: it asks for it
        ("PRELOAD.append('plug_in')", True, 1),
        ("pass", True, 0),
    ],
    ids=["no forkserver", "CUDA initialised", "CUDA not initialised"],
)
def test_spawned_trials_equal_forked_trials(
    before: str,
    forks: bool,
    messages: int,
    forked: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    (tmp_path / "plug_in.py").write_text(CUDA_INITIALISED)
    code = DRIVE.format(before=before, words=list(GRID), forks=forks)
    done = python("-c", code, cwd=tmp_path)
    assert done.code == 0, done.err
    assert done.out.count("CUDA was initialised before the first trial") == messages
    assert results(tmp_path) == forked
