"""The sentence about a job that sbatch refuses names the option to change, and where to look."""

import pytest

from clip_hparam.config.options.launcher_options import LauncherOptions
from clip_hparam.launch.slurm.sbatch import refusal_message

ACCOUNT = "Invalid account or account/partition combination specified"
LIMIT = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"


@pytest.mark.parametrize(
    ("reason", "start", "end"),
    [
        (ACCOUNT, "sbatch refuses hydra.launcher.account=visoin: Invalid", "account,partition,qos"),
        ("Invalid qos specification", "sbatch refuses the job: ", "format=account,partition,qos"),
        ("Invalid partition name specified", "sbatch refuses hydra.launcher.partition=", "sinfo"),
        ("Requested time limit is invalid", "sbatch refuses hydra.launcher.timeout_min=", "sinfo"),
        (LIMIT, "sbatch refuses more jobs, or jobs of this size", "maxsubmitjobs"),
        ("Requested node configuration is not available", "sbatch refuses the job", "and mem_gb"),
    ],
)
def test_refusal_names_the_option_and_where_to_look(reason: str, start: str, end: str) -> None:
    message = refusal_message(reason, LauncherOptions(account="visoin", partition="main"))
    assert message.startswith(start)
    assert reason in message
    assert message.endswith(end)


def test_option_that_was_not_given_is_named_without_a_value() -> None:
    message = refusal_message(ACCOUNT, LauncherOptions(partition="main"))
    assert "set hydra.launcher.account, see sacctmgr" in message
    assert "None" not in message
