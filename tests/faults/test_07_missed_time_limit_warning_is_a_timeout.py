"""A trial hangs at its time limit: it is a timeout, and its last checkpoint resumes."""

from support.cli import sweep
from support.slurm_disturbed_sweep import STUCK, WORDS, DisturbedSweep
from support.slurm_jobs import metrics_text


def test_timeout_names_the_limit_and_resumes_from_the_last_checkpoint(
    disturbed: DisturbedSweep,
) -> None:
    record = disturbed.record(STUCK)
    failure = record.failure()
    assert failure is not None
    assert (failure["kind"], failure["slurm"]) == ("timeout", "TIMEOUT")
    assert "could not save its state" in disturbed.out
    again = sweep("-m", f"seeds=[{STUCK}]", *WORDS, cwd=disturbed.folder)
    assert again.code == 0, again.err
    assert "resuming after" in (record.folder / "log.txt").read_text()
    assert metrics_text(record) == metrics_text(disturbed.undisturbed(STUCK))
