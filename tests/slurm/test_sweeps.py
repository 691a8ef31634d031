"""Sweeps on a real Slurm, by the command line."""

import os
import shutil
import signal
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

import pytest
from support.cli import ROOT, SHORT, clip_hparam, records, results, start, sweep, sweep_process
from support.slurm_cluster import Cluster
from support.slurm_detached_sweep import WORDS, DetachedSweep
from support.slurm_jobs import (
    SLURM,
    job_of,
    pause,
    resume_once_signalled,
    seed_of,
    submitted_arrays,
    train,
    warn,
)

SEEDS = ("-m", "seeds=3", *SHORT)
SMALL = ("data.epoch_images=100", "batch_size=50", "epochs=4", "machine.checkpoint_seconds=0")


def test_detached_trials_are_found_again_and_cancelled(
    either: Cluster, detached: DetachedSweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    assert "2 of 2 trials are submitted" in detached.out
    folder, record = detached.folder, detached.trials[0]
    for number, code in ((signal.SIGKILL, -9), (signal.SIGINT, 130)):
        driver = start("-m", "seeds=[0]", *WORDS, cwd=folder)
        assert driver.stdout is not None
        lines = list(takewhile(lambda line: " running " not in line, driver.stdout))
        os.kill(driver.pid, number)
        _, err = driver.communicate(timeout=30)
        assert driver.returncode == code, err
        assert "1 trial is in Slurm already: following it\n" in lines
    assert "clip-hparam cancel" in err
    (array,) = submitted_arrays(folder)
    assert either.states()[job_of(record)] == "RUNNING"
    ended = clip_hparam("cancel", array.folder.parent.name, cwd=folder)
    assert " of one ended" in ended.out
    either.wait_for(job_of(record), "CANCELLED")
    assert "1 cancelled" in clip_hparam("status", cwd=folder).out
    assert "Slurm job" in (record.failure() or {})["message"]


def test_trials_that_share_a_job_resume_in_it(either: Cluster, tmp_path: Path) -> None:
    shared = ("trials_per_job=3", "hydra.launcher.cpus_per_task=2")
    driver = start("-m", "seeds=3", *SMALL, *SLURM, *shared, cwd=tmp_path)
    try:
        first, second = train(tmp_path, 2)[:2]  # side by side
        pause(second)
        *_, third = train(tmp_path, 2, done=1)
        pause(third)
        warn(either, second)
        for record in (second, third):
            resume_once_signalled(record)
        _, err = driver.communicate(timeout=200)
    finally:
        driver.kill()
        driver.communicate()
    assert driver.returncode == 0, err
    assert [list(map(len, array.packs)) for array in submitted_arrays(tmp_path)] == [[3]]
    assert len({record.status()["job"] for record in records(tmp_path)}) == 1
    assert [record.status()["attempt"] for record in (first, second, third)] == [1, 2, 2]


def test_warned_trial_of_two_ranks_resumes(slurm: Cluster, tmp_path: Path) -> None:
    words = ("-m", "seeds=1", *SMALL, "gpus_per_trial=2", *SLURM, "hydra.launcher.mem_gb=8")
    driver = start(*words, cwd=tmp_path)
    try:
        (record,) = train(tmp_path, 1)
        pause(record)
        warn(slurm, record)
        resume_once_signalled(record)
        _, err = driver.communicate(timeout=200)
    finally:
        driver.kill()
        driver.communicate()
    assert driver.returncode == 0, err
    assert record.status()["attempt"] == 2
    assert "resuming after" in (record.folder / "log.txt").read_text()


def test_jobs_run_the_code_of_their_submission(slurm: Cluster, tmp_path: Path) -> None:
    package = shutil.copytree(ROOT / "src" / "clip_hparam", tmp_path / "code" / "clip_hparam")
    words = ("-m", *SHORT, *SLURM, "+hydra.launcher.additional_parameters.hold=true")
    environment = {"PYTHONPATH": str(package.parent)}
    for seed, more in ((0, ()), (1, ("snapshot=false",))):
        own = (f"seeds=[{seed}]", "detach=true", *more)
        done = sweep_process(*words, *own, cwd=tmp_path, **environment)
        assert done.code == 0, done.err
    (package / "__init__.py").write_text("raise SystemExit('edited after the submission')\n")
    for job in slurm.waiting():
        slurm("scontrol", "release", job)
    kept, edited = (array.handles()[0].id for array in submitted_arrays(tmp_path))
    slurm.wait_for(kept, "COMPLETED")
    slurm.wait_for(edited, "FAILED")
    assert [seed_of(record) for record in records(tmp_path) if record.is_done()] == [0]
    assert len(list((tmp_path / "runs" / ".code").iterdir())) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((*SLURM, "hydra.launcher.partitoin=gpu"), "did you mean partition?"),
        ((*SLURM, "hydra.launcher.signal_delay_s=1800"), "no time to train"),
        ((*SLURM, "trials_per_job=0"), "outside whole numbers of [1, inf)"),
        ((*SLURM, "hydra.launcher.nodes=2", "trials_per_job=2"), "for trials of one task"),
        ((*SLURM, "hydra.launcher.nodes=3"), "makes gpus_per_trial=3 does not divide batch_size="),
        ((*SLURM, "machine.runs=/proc/nope"), "machine.runs=/proc/nope cannot be written"),
        (("detach=true",), "try hydra/launcher=submitit_slurm"),
    ],
)
def test_mistake_is_one_sentence_and_nothing_is_submitted(
    words: Sequence[str], message: str, slurm: Cluster, tmp_path: Path
) -> None:
    done = sweep(*SEEDS, *words, cwd=tmp_path)
    assert message in done.err
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert submitted_arrays(tmp_path) == []
    assert not slurm.waiting()


def test_without_munge_the_exit_code_is_3(slurm: Cluster, tmp_path: Path) -> None:
    with slurm.without_munge():
        done = sweep(*SEEDS, *SLURM, cwd=tmp_path)
    assert (done.code, done.err.count("\n")) == (3, 1)
    assert "scontrol failed: " in done.err
    assert submitted_arrays(tmp_path) == []


def test_without_slurm_the_message_names_sbatch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = sweep(*SEEDS, *SLURM, cwd=tmp_path)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "there is no sbatch on PATH" in done.err


def test_dry_run_describes_the_jobs(tmp_path: Path) -> None:
    shared = ("trials_per_job=2", "hydra.launcher.array_parallelism=1", "dry_run=true")
    done = sweep(*SEEDS, *SLURM, *shared, cwd=tmp_path)
    where = "in 2 Slurm jobs of up to 2 trials, each of up to 30 min, once 1 run at a time"
    assert where in done.out
    assert list(tmp_path.iterdir()) == []


def test_local_launcher_takes_the_same_options(tmp_path: Path) -> None:
    keys = ("hydra/launcher=submitit_local", "hydra.launcher.partition=gpu")
    done = sweep("-m", "seeds=1", *SHORT, *keys, cwd=tmp_path)
    assert done.code == 0, done.err
    assert len(results(tmp_path)) == 1
