"""Slurm's controller goes away while a sweep is submitted or followed: it is waited for."""

from pathlib import Path
from threading import Timer

from commands import SHORT, results, start
from slurm.cluster import Cluster
from slurm.jobs import SLURM, sent, train

WORDS = ("-m", "seeds=2", "data.epoch_images=100", "epochs=30", *SLURM)


def test_the_controller_restarts_during_a_sweep(slurm: Cluster, tmp_path: Path) -> None:
    driver = start(*WORDS, cwd=tmp_path)
    try:
        train(tmp_path, 1)
        with slurm.without_controller():
            train(tmp_path, 2)
        _, err = driver.communicate(timeout=200)
    finally:
        driver.kill()
        driver.communicate()
    assert driver.returncode == 0, err
    assert len(results(tmp_path)) == 2
    assert len(sent(tmp_path)) == 1


def test_a_submission_waits_for_the_controller_and_is_made_once(
    slurm: Cluster, tmp_path: Path
) -> None:
    words = ("-m", "seeds=1", *SHORT, *SLURM)
    with slurm.without_controller():
        driver = start(*words, cwd=tmp_path)
        back = Timer(8, slurm.bring_up)
        back.start()
        _, err = driver.communicate(timeout=200)
        back.join()
    assert driver.returncode == 0, err
    (array,) = sent(tmp_path)
    assert sum(job.startswith(f"{array.job_id}_") for job in slurm.states()) == 1
