"""Slurm's controller is down while a sweep is submitted and followed: the driver waits."""

import time
from pathlib import Path
from threading import Timer

from support.cli import records, start
from support.slurm_cluster import Cluster
from support.slurm_jobs import SLURM, submitted_arrays, train

from clip_hparam.launch.slurm.queries import QUERY_PERIOD_SECONDS

WORDS = ("-m", "seeds=1", "data.epoch_images=100", "epochs=8", "machine.checkpoint_seconds=0")


def test_sweep_is_submitted_once_and_finishes(either: Cluster, tmp_path: Path) -> None:
    with either.without_controller():
        driver = start(*WORDS, *SLURM, cwd=tmp_path)
        back = Timer(8, either.bring_up)
        back.start()
        try:
            train(tmp_path, 1)
            back.join()
            with either.without_controller():
                time.sleep(2 * QUERY_PERIOD_SECONDS)  # queries fail
            _, err = driver.communicate(timeout=200)
        finally:
            driver.kill()
            driver.communicate()
    assert driver.returncode == 0, err
    (array,) = submitted_arrays(tmp_path)
    assert sum(job.startswith(f"{array.job_id}_") for job in either.states()) == 1
    assert all(record.is_done() for record in records(tmp_path))
