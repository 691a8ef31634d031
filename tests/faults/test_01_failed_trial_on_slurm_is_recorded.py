"""A trial raises on Slurm: it is failed with its reason, in Slurm's books too; the others go on."""

from support.slurm_disturbed_sweep import BAD, UNTOUCHED, DisturbedSweep
from support.slurm_jobs import job_of


def test_it_is_failed_in_slurm_too(disturbed: DisturbedSweep) -> None:
    bad, good = disturbed.record(BAD), disturbed.record(UNTOUCHED)
    assert (bad.failure() or {})["kind"] == "error"
    assert f"{bad.trial_id} failed: IsADirectoryError" in disturbed.out
    for record, state in ((bad, "FAILED ExitCode=1:0"), (good, "COMPLETED ExitCode=0:0")):
        facts = disturbed.slurm("scontrol", "-o", "show", "job", job_of(record)).split()
        shown = [word for word in facts if word.startswith(("JobState=", "ExitCode="))]
        assert " ".join(shown) == f"JobState={state}"
