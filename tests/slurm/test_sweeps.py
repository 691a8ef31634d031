"""A sweep on a real Slurm, by the command line."""

import os
import signal
from itertools import takewhile
from pathlib import Path

import pytest
from commands import SHORT, clip_hparam, records, results, start, sweep
from slurm.cluster import Cluster
from slurm.jobs import LONG, SLURM, job_of, sent, train, warn

from clip_hparam.compose import composed
from clip_hparam.plan import resolve
from clip_hparam.recipe import trial_id

SEEDS = ("-m", "seeds=3", *SHORT)


def id_of(seed: int) -> str:
    return trial_id(resolve(composed([*SHORT, f"seed={seed}"])))


def test_a_failed_trial_is_failed_in_slurm_and_alone_runs_again(
    slurm: Cluster, tmp_path: Path
) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    words = (*SEEDS, *SLURM, "hydra.launcher.array_parallelism=1")
    obstacle = folder / "runs" / id_of(0) / "correct.npz"
    obstacle.mkdir(parents=True)  # its bits cannot be written
    done = sweep(*words, cwd=folder)
    assert done.code == 1, done.err
    assert len(results(folder)) == 2
    (array,) = sent(folder)
    bad, *good = (handle.id for handle in array.handles())
    slurm.wait_for(bad, "FAILED")
    for job in good:
        slurm.wait_for(job, "COMPLETED")
    assert "ExitCode=1:0" in slurm("scontrol", "show", "job", bad)
    assert array.folder.parent.name in array.name
    assert f"{id_of(0)} failed: IsADirectoryError" in done.out
    obstacle.rmdir()
    assert sweep(*words, cwd=folder).code == 0
    assert [len(array.packs) for array in sent(folder)] == [3, 1]
    assert "3 done" in clip_hparam("status", cwd=folder).out


def test_trials_are_submitted_left_alone_found_again_and_ended(
    slurm: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    words = ("-m", "seeds=2", *LONG, *SLURM)
    detached = sweep(*words, "detach=true", cwd=tmp_path)
    assert detached.code == 0, detached.err
    assert "2 of 2 trials are submitted" in detached.out
    train(tmp_path, 2)
    assert "2 running" in clip_hparam("status", cwd=tmp_path).out
    for number, code in ((signal.SIGKILL, -9), (signal.SIGINT, 130)):
        driver = start(*words, cwd=tmp_path)
        assert driver.stdout is not None
        told = list(takewhile(lambda line: " running " not in line, driver.stdout))
        os.kill(driver.pid, number)
        _, err = driver.communicate(timeout=30)
        assert driver.returncode == code, err
        assert "2 trials are in Slurm already: following them\n" in told
    (array,) = sent(tmp_path)
    sweep_id = array.folder.parent.name
    assert f"clip-hparam cancel {sweep_id} ends them" in err
    assert [slurm.states()[handle.id] for handle in array.handles()] == ["RUNNING"] * 2
    assert "2 jobs of one ended" in clip_hparam("cancel", sweep_id, cwd=tmp_path).out
    for handle in array.handles():
        slurm.wait_for(handle.id, "CANCELLED")
    assert "2 cancelled" in clip_hparam("status", cwd=tmp_path).out
    assert all("Slurm job" in record.failure()["message"] for record in records(tmp_path))  # type: ignore[index]


def test_small_trials_share_a_job(slurm: Cluster, tmp_path: Path) -> None:
    done = sweep(*SEEDS, *SLURM, "trials_per_job=2", cwd=tmp_path)
    assert done.code == 0, done.err
    assert len(results(tmp_path)) == 3
    assert [list(map(len, array.packs)) for array in sent(tmp_path)] == [[2, 1]]
    jobs = [record.status()["job"] for record in records(tmp_path)]
    assert len(set(jobs)) == 2


def test_a_trial_of_two_ranks_is_warned_and_goes_on(slurm: Cluster, tmp_path: Path) -> None:
    size = ("epochs=40", "data.epoch_images=100", "batch_size=50", "gpus_per_trial=2")
    words = ("-m", "seeds=1", *size, *SLURM, "hydra.launcher.mem_gb=8")
    driver = start(*words, cwd=tmp_path)
    try:
        (record,) = train(tmp_path, 1)
        warn(slurm, job_of(tmp_path, record))
        _, err = driver.communicate(timeout=200)
    finally:
        driver.kill()
        driver.communicate()
    assert driver.returncode == 0, err
    assert record.status()["attempt"] == 2
    assert "going on after epoch" in (record.folder / "log.txt").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((*SLURM, "hydra.launcher.partition=nosuch"), "hydra.launcher.partition=nosuch"),
        ((*SLURM, "hydra.launcher.partitoin=gpu"), "did you mean partition?"),
        ((*SLURM, "hydra.launcher.signal_delay_s=1800"), "no time to train"),
        ((*SLURM, "hydra.launcher.timeout_min=0"), "less than 1"),
        ((*SLURM, "trials_per_job=0"), "outside whole numbers of [1, inf)"),
        (("detach=true",), "try hydra/launcher=submitit_slurm"),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_submitted(
    words: tuple[str, ...], message: str, slurm: Cluster, tmp_path: Path
) -> None:
    done = sweep(*SEEDS, *words, cwd=tmp_path)
    assert message in done.err
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert sent(tmp_path) == []
    assert not set(slurm.states().values()) & {"PENDING", "RUNNING"}


def test_without_slurm_the_sentence_says_where_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = sweep(*SEEDS, *SLURM, cwd=tmp_path)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "there is no sbatch on PATH" in done.err


def test_the_local_launcher_takes_the_same_keys(tmp_path: Path) -> None:
    keys = ("hydra/launcher=submitit_local", "hydra.launcher.partition=gpu")
    done = sweep("-m", "seeds=1", *SHORT, *keys, cwd=tmp_path)
    assert done.code == 0, done.err
