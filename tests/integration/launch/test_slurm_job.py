"""A queued Slurm job that was submitted before modules moved runs its trials at their ids."""

import json
import runpy
import shutil
import sys
from pathlib import Path

import pytest
from support.cli import ROOT

from clip_hparam.config.resolved_recipe import as_resolved
from clip_hparam.launch.slurm import job_main
from clip_hparam.launch.slurm.job_array import read_job_array
from clip_hparam.records.state import TrialState

BEFORE = ROOT / "tests" / "data" / "runs_before_layout"
DONE, WITH_MIXUP = "05a020acc1e1", "3b5833a01abf"  # of the two tasks
TASK = {
    "SUBMITIT_EXECUTOR": "slurm",
    "SLURM_JOB_ID": "7",
    "SLURM_JOB_NODELIST": "localhost",
    "SLURM_ARRAY_TASK_ID": "0",
    "SLURM_NTASKS": "1",
    "SLURM_NNODES": "1",
    "SLURM_JOB_NUM_NODES": "1",
    "SLURM_PROCID": "0",
    "SLURM_LOCALID": "0",
    "SLURM_NODEID": "0",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of an array that commit 1391338 wrote, beside the record of one trial."""
    shutil.copytree(BEFORE / "records" / DONE, tmp_path / DONE)
    folder = tmp_path / ".sweeps" / "0d96873bdc79" / "663f07d2"
    folder.mkdir(parents=True)
    shutil.copy(BEFORE / "array.json", folder)
    return folder


def test_specifications_of_an_old_array_have_the_ids_of_their_trials(folder: Path) -> None:
    array = read_job_array(folder)
    assert array is not None
    specs = [spec for task in range(2) for spec in array.specs(task)]
    assert [spec.trial_id for spec in specs] == [DONE, WITH_MIXUP]
    assert as_resolved(specs[1].recipe).mix_pairs == "mirrored"
    lacking = json.loads((folder / "array.json").read_text())["jobs"][1][0]["recipe"]
    assert "mix_pairs" not in lacking


def test_the_old_program_of_a_task_runs_the_trials_of_the_array(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def run_in_pool(array: object, specs: list[object], stop: object) -> dict[str, TrialState]:
        ran.extend(spec.trial_id for spec in specs)  # type: ignore[attr-defined]
        return dict.fromkeys(ran, TrialState.DONE)

    for name, value in TASK.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(job_main, "_run_in_pool", run_in_pool)
    monkeypatch.setattr(job_main, "catch_signals", lambda *numbers: object())
    monkeypatch.setattr(sys, "argv", ["slurm_job", str(folder)])
    monkeypatch.delitem(sys.modules, "clip_hparam.launch.slurm_job", raising=False)
    with pytest.raises(SystemExit) as end:
        runpy.run_module("clip_hparam.launch.slurm_job", run_name="__main__")
    assert (end.value.code, ran) == (0, [DONE])
