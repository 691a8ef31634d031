"""Code snapshots: one copy per content, deleted once no job needs it."""

import os
import shutil
from pathlib import Path

import pytest
from support.cli import fake

from clip_hparam.cli.commands import garbage
from clip_hparam.config.options.launcher_options import LauncherOptions
from clip_hparam.config.recipe import Recipe
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.launch.code_snapshot import create_snapshot, package_hash
from clip_hparam.launch.slurm import job_array
from clip_hparam.launch.slurm.batch_script import submission_script
from clip_hparam.launch.slurm.job_array import JobLimits
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.atomic import read_json
from clip_hparam.records.record import Record

LIMITS = JobLimits(timeout_min=1, signal_delay_s=15, max_num_timeout=0)


def test_snapshot_is_made_once_and_holds_all_that_a_job_imports(tmp_path: Path) -> None:
    first, second = create_snapshot(tmp_path), create_snapshot(tmp_path)
    assert first == second
    assert (first / "clip_hparam" / "launch" / "slurm" / "job_main.py").is_file()
    assert package_hash(first / "clip_hparam") == first.name
    assert set((read_json(first / "snapshot.json") or {})["git"]) == {"sha", "dirty"}
    assert [path.name for path in (tmp_path / ".code").iterdir()] == [first.name]


def test_hash_depends_on_names_and_contents(tmp_path: Path) -> None:
    one, other = (tmp_path / name for name in ("one", "other"))
    for folder in (one, other):
        folder.mkdir()
        (folder / "a.py").write_text("a = 1")
    expected = package_hash(one)
    assert package_hash(other) == expected
    (other / "a.py").rename(other / "b.py")
    assert package_hash(other) != expected
    shutil.copy(one / "a.py", other / "b.py")
    (one / "a.py").write_text("a = 2")
    assert package_hash(one) != expected


def test_snapshot_is_garbage_once_all_its_trials_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, "srun", "exit 0")  # submitit writes no script where it finds no srun
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    spec, code = TrialSpec(resolve(Recipe())), create_snapshot(tmp_path)
    array = job_array.create_job_array(tmp_path, "sweep", "name", [[spec]], LIMITS)
    (array.folder / "submission.sh").write_text(submission_script(array, LauncherOptions(), code))
    assert garbage.find_garbage(tmp_path) == []
    Record(tmp_path, spec.trial_id).write_result({})
    (item,) = garbage.find_garbage(tmp_path)
    assert (item.path, item.kind) == (code, "code")
    assert garbage.remove_items([item]) == 1
    assert not code.exists()
