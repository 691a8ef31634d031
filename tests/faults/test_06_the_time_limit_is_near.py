"""Warned of its time limit a trial saves its state, queues again, and ends in the same numbers."""

from pathlib import Path

from commands import clip_hparam, sweep
from slurm.cluster import Cluster
from slurm.disturbed import WARNED, Disturbed
from slurm.jobs import LONG, SLURM, job_of, numbers, train, warn


def test_a_warned_trial_goes_on_after_its_last_step(disturbed: Disturbed) -> None:
    record = disturbed.record(WARNED)
    assert numbers(record) == numbers(disturbed.in_peace(WARNED))
    log = (record.folder / "log.txt").read_text()
    assert "stopped: the state is saved" in log
    assert "going on after epoch" in log
    assert record.status()["attempt"] == 2


def test_one_limit_too_many_is_a_timeout_that_the_same_command_goes_on_from(
    slurm: Cluster, tmp_path: Path
) -> None:
    words = ("-m", "seeds=1", *LONG, *SLURM, "hydra.launcher.max_num_timeout=0", "detach=true")
    assert sweep(*words, cwd=tmp_path).code == 0
    (record,) = train(tmp_path, 1)
    job = job_of(tmp_path, record)
    warn(slurm, job)
    slurm.wait_for(job, "FAILED")
    assert "1 timeout" in clip_hparam("status", cwd=tmp_path).out
    assert "time limit of 30 min 1 times" in clip_hparam("why", record.trial_id, cwd=tmp_path).out
    assert any((record.folder / "checkpoint").iterdir())
