"""A trial is stuck when its time limit comes: a timeout, and what it had saved is good."""

from support.cli import sweep
from support.slurm_disturbed_sweep import STUCK, WORDS, DisturbedSweep
from support.slurm_jobs import metrics_text


def test_the_time_limit_is_named_and_the_last_checkpoint_is_gone_on_from(
    disturbed: DisturbedSweep,
) -> None:
    record = disturbed.record(STUCK)
    failure = record.failure()
    assert failure is not None
    assert (failure["kind"], failure["slurm"]) == ("timeout", "TIMEOUT")
    assert "could not save its state" in disturbed.out
    again = sweep("-m", f"seeds=[{STUCK}]", *WORDS, cwd=disturbed.folder)
    assert again.code == 0, again.err
    assert "going on after epoch" in (record.folder / "log.txt").read_text()
    assert metrics_text(record) == metrics_text(disturbed.undisturbed(STUCK))
