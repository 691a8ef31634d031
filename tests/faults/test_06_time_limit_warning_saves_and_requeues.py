"""A trial is warned of its time limit: it saves its state, is requeued, and ends the same."""

from support.cli import clip_hparam
from support.slurm_cluster import Cluster
from support.slurm_detached_sweep import DetachedSweep
from support.slurm_disturbed_sweep import WARNED, DisturbedSweep
from support.slurm_jobs import job_of, metrics_text, resume_once_signalled, saved, warn


def test_warned_trial_resumes_after_its_last_step(disturbed: DisturbedSweep) -> None:
    record = disturbed.record(WARNED)
    assert metrics_text(record) == metrics_text(disturbed.undisturbed(WARNED))
    log = (record.folder / "log.txt").read_text()
    assert "stopped: the state is saved after step " in log
    assert "resuming after" in log
    assert record.status()["attempt"] == 2


def test_last_permitted_time_limit_is_a_timeout_with_a_checkpoint(
    either: Cluster, detached: DetachedSweep
) -> None:
    record = detached.trials[1]
    warn(either, record)
    resume_once_signalled(record)
    either.wait_for(job_of(record), "FAILED")
    why = clip_hparam("why", record.trial_id, cwd=detached.folder)
    assert "time limit of 30 min 1 time: " in why.out
    assert "1 timeout" in clip_hparam("status", cwd=detached.folder).out
    assert saved(record)
