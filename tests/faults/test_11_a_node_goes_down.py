"""Its node goes down, then a preempting job takes its place: no failure, the same numbers."""

from pathlib import Path

from commands import start, sweep, wait_until
from slurm.cluster import Cluster
from slurm.jobs import SLURM, job_of, numbers, train

from clip_hparam.records import Record

WORDS = ("-m", "seeds=1", "data.epoch_images=100", "epochs=60", "machine.checkpoint_seconds=0")


def test_a_trial_is_moved_twice_and_ends_in_the_same_numbers(
    slurm: Cluster, tmp_path: Path
) -> None:
    (tmp_path / "peace").mkdir()
    driver = start(*WORDS, *SLURM, cwd=tmp_path)
    try:
        (record,) = train(tmp_path, 1)
        job = job_of(tmp_path, record)
        slurm("scontrol", "update", "NodeName=n1", "State=DOWN", "Reason=test")
        wait_until(lambda: record.status()["attempt"] == 2, 90)
        saved = len(record.rows())
        wait_until(lambda: len(record.rows()) > saved)
        node = slurm("squeue", "-h", "-j", job, "-o", "%N").strip()
        slurm("sbatch", "-p", "high", "-w", node, "--exclusive", "--wrap", "sleep 2")
        wait_until(lambda: record.status()["attempt"] == 3, 90)
        _, err = driver.communicate(timeout=240)
    finally:
        driver.kill()
        driver.communicate()
    assert driver.returncode == 0, err
    assert slurm("scontrol", "-o", "show", "job", job).count("Restarts=2") == 1
    assert sweep(*WORDS, cwd=tmp_path / "peace").code == 0
    (path,) = (tmp_path / "peace" / "runs").glob("*/result.json")
    in_peace = Record(path.parents[1], record.trial_id)
    assert numbers(record) == numbers(in_peace)
