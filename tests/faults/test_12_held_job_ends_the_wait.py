"""Slurm holds a job: the driver stops waiting and prints how to release it."""

from support.slurm_disturbed_sweep import HELD, DisturbedSweep


def test_held_trial_ends_the_wait_with_exit_code_3(
    disturbed: DisturbedSweep,
) -> None:
    failure = disturbed.record(HELD).failure()
    assert failure is not None
    assert disturbed.code == 3
    assert "held" in failure["message"]
    assert "scontrol release" in disturbed.out
