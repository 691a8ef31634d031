"""A trial raises on Slurm: record and Slurm job are failed; the other trials continue."""

from support.slurm_disturbed_sweep import BAD, UNTOUCHED, DisturbedSweep
from support.slurm_jobs import job_of


def test_failed_trial_is_a_failed_slurm_job(disturbed: DisturbedSweep) -> None:
    bad, good = disturbed.record(BAD), disturbed.record(UNTOUCHED)
    assert (bad.failure() or {})["kind"] == "error"
    assert f"{bad.trial_id} failed: IsADirectoryError" in disturbed.out
    for record, state in ((bad, "FAILED ExitCode=1:0"), (good, "COMPLETED ExitCode=0:0")):
        facts = disturbed.slurm("scontrol", "-o", "show", "job", job_of(record)).split()
        shown = [word for word in facts if word.startswith(("JobState=", "ExitCode="))]
        assert " ".join(shown) == f"JobState={state}"
