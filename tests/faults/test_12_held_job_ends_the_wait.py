"""A job that Slurm holds is named with the way to release it, and nobody waits for it for ever."""

from support.slurm_disturbed_sweep import HELD, DisturbedSweep


def test_a_held_trial_ends_the_wait_with_the_scheduler_s_exit_code(
    disturbed: DisturbedSweep,
) -> None:
    failure = disturbed.record(HELD).failure()
    assert failure is not None
    assert disturbed.code == 3
    assert "held" in failure["message"]
    assert "scontrol release" in disturbed.out
