"""Warned of its time limit a trial saves its state, queues again, and ends in the same numbers."""

from support.cli import clip_hparam
from support.slurm_cluster import Cluster
from support.slurm_detached_sweep import LeftAlone
from support.slurm_disturbed_sweep import WARNED, Disturbed
from support.slurm_jobs import go_on_once_asked, job_of, numbers, saved, warn


def test_a_warned_trial_goes_on_after_its_last_step(disturbed: Disturbed) -> None:
    record = disturbed.record(WARNED)
    assert numbers(record) == numbers(disturbed.in_peace(WARNED))
    log = (record.folder / "log.txt").read_text()
    assert "stopped: the state is saved" in log
    assert "going on after epoch" in log
    assert record.status()["attempt"] == 2


def test_one_limit_too_many_is_a_timeout_that_the_same_command_goes_on_from(
    either: Cluster, left_alone: LeftAlone
) -> None:
    record = left_alone.trials[1]
    warn(either, record)
    go_on_once_asked(record)
    either.wait_for(job_of(record), "FAILED")
    why = clip_hparam("why", record.trial_id, cwd=left_alone.folder)
    assert "time limit of 30 min 1 times" in why.out
    assert "1 timeout" in clip_hparam("status", cwd=left_alone.folder).out
    assert saved(record)
