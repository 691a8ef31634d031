"""The sentence about a job that sbatch refuses names the option to change, and legal values."""

from typing import Any

import pytest
from support.sinfo_output import ACCOUNT_LINES, SINFO_LINES

from clip_hparam.config.options.launcher_options import LauncherOptions
from clip_hparam.launch.slurm.cluster import partitions, refusals
from clip_hparam.launch.slurm.cluster.refusals import refusal_message, refusal_reason
from clip_hparam.launch.slurm.commands import SchedulerError

ACCOUNT = "Invalid account or account/partition combination specified"
LIMIT = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"
QOS = "Invalid qos specification"
ACCOUNTS = "your accounts are vision (QOS few, normal, short), nlp (QOS normal): type "


@pytest.fixture
def _responding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "output_lines", lambda *_, timeout: SINFO_LINES)
    monkeypatch.setattr(refusals, "output_lines", lambda *_, timeout: ACCOUNT_LINES)


@pytest.fixture
def _silent(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: str, timeout: float) -> list[str]:
        raise SchedulerError(f"no response within {timeout} s")

    monkeypatch.setattr(partitions, "output_lines", fail)
    monkeypatch.setattr(refusals, "output_lines", fail)


@pytest.mark.usefixtures("_silent")
@pytest.mark.parametrize(
    ("reason", "start", "end"),
    [
        (ACCOUNT, "sbatch refuses hydra.launcher.account=visoin: Invalid", "account,partition,qos"),
        (QOS, "sbatch refuses the job: ", "format=account,partition,qos"),
        ("Invalid partition name specified", "sbatch refuses hydra.launcher.partition=", "sinfo"),
        ("Requested time limit is invalid", "sbatch refuses hydra.launcher.timeout_min=", "sinfo"),
        (LIMIT, "sbatch refuses more jobs, or jobs of this size", "maxsubmitjobs"),
        ("QOSMaxSubmitJobPerUserLimit", "sbatch refuses more jobs, or jobs", "maxsubmitjobs"),
        ("Requested node configuration is not available", "sbatch refuses the job", "and mem_gb"),
        ("Requested reservation is invalid", "sbatch refuses the job: ", "show reservation"),
    ],
)
def test_refusal_names_the_option_and_where_to_look(reason: str, start: str, end: str) -> None:
    message = refusal_message(reason, LauncherOptions(account="visoin", partition="main"))
    assert message.startswith(start)
    assert reason in message
    assert message.endswith(end)


@pytest.mark.usefixtures("_silent")
def test_option_that_was_not_given_is_named_without_a_value() -> None:
    message = refusal_message(ACCOUNT, LauncherOptions(partition="main"))
    assert "set hydra.launcher.account, see sacctmgr" in message
    assert "None" not in message


@pytest.mark.usefixtures("_responding")
@pytest.mark.parametrize(
    ("reason", "options", "end"),
    [
        (
            "invalid partition specified: gpuu",
            {"partition": "gpuu"},
            "partitions are main, debug, gpu, cpu: type hydra.launcher.partition=gpu",
        ),
        (ACCOUNT, {"account": "vison"}, f"{ACCOUNTS}hydra.launcher.account=vision"),
        (QOS, {"qos": "shrt"}, f"{ACCOUNTS}hydra.launcher.qos=short"),
        (QOS, {"qos": "few"}, f"{ACCOUNTS}hydra.launcher.account=vision with it"),
        (
            "Invalid feature specification",
            {"constraint": "a10"},
            "features of nodes are a100, cpu, rack1, rack2, v100: type"
            " hydra.launcher.constraint=a100",
        ),
        (
            "Invalid generic resource (gres) specification",
            {"gres": "tpu:1"},
            "hydra.launcher.gres=tpu:1: Invalid generic resource (gres) specification; the nodes"
            " have gpu:2",
        ),
    ],
)
def test_legal_values_are_those_of_the_cluster(
    reason: str, options: dict[str, Any], end: str
) -> None:
    assert refusal_message(reason, LauncherOptions(**options)).endswith(end)


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        (
            "sbatch: error: invalid partition specified: a\n"
            "sbatch: error: Batch job submission failed: Invalid partition name specified\n",
            "invalid partition specified: a",
        ),
        ("sbatch: error: Batch job submission failed: Invalid qos specification\n", QOS),
        ("allocation failure: Invalid qos specification\n", QOS),
        (
            "sbatch: warning: no time\nsbatch: error: Batch job submission failed: Access denied",
            "no time; Access denied",
        ),
    ],
)
def test_reason_is_the_special_line_without_the_prefixes_of_sbatch(
    printed: str, reason: str
) -> None:
    assert refusal_reason(printed) == reason
