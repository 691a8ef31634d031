"""A job of a higher partition preempts a trial: it saves its state and resumes later."""

from support.slurm_disturbed_sweep import MOVED, DisturbedSweep
from support.slurm_jobs import accounting_rows, job_of, metrics_text


def test_preempted_trial_equals_undisturbed(disturbed: DisturbedSweep, accounting: bool) -> None:
    record = disturbed.record(MOVED)
    assert metrics_text(record) == metrics_text(disturbed.undisturbed(MOVED))
    assert record.status()["attempt"] == 3  # its node went down before
    assert (record.folder / "log.txt").read_text().count("resuming after") == 2
    if accounting:
        rows = accounting_rows(disturbed.slurm, job_of(record), "--duplicates")
        node_fail, preempted, completed = (row.partition("|")[0] for row in rows)
        assert (node_fail, completed) == ("NODE_FAIL", "COMPLETED")
        assert preempted in ("PREEMPTED", "REQUEUED")  # by Slurm, or by the trial before it
