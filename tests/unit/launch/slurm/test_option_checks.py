"""Options of the Slurm launcher: the signal delay, and what is refused in one sentence."""

from typing import Any

import pytest

from clip_hparam.config.options.launcher_options import LauncherOptions, signal_delay_seconds
from clip_hparam.launch.slurm.option_checks import validate_options


@pytest.mark.parametrize("minutes", [1, 2, 7, 8, 60, 10_000])
def test_signal_delay_is_at_most_a_quarter_of_the_time_limit(minutes: int) -> None:
    delay = signal_delay_seconds(LauncherOptions(timeout_min=minutes))
    assert 0 < delay <= min(120, minutes * 60 / 4)


def test_options_that_are_left_out_are_valid() -> None:
    options = LauncherOptions(
        timeout_min=None, nodes=None, tasks_per_node=None, array_parallelism=None
    )
    validate_options(options)
    assert signal_delay_seconds(options) == 120


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout_min": 2, "signal_delay_s": 120}, "leaves no time to train in"),
        ({"signal_delay_s": 0}, "leaves no time to train in"),
        ({"max_num_timeout": -1}, "is negative"),
        ({"array_parallelism": 0}, "less than 1"),
        ({"cpus_per_task": 0}, "cpus_per_task=0 is less than 1"),
        ({"gpus_per_node": -1}, "gpus_per_node=-1 is less than 0"),
        ({"mem_gb": 0.0}, "mem_gb=0 is not an amount of memory"),
        ({"mem_gb": float("nan")}, "mem_gb=nan is not an amount of memory"),
        ({"mem_per_cpu": "lots"}, "mem_per_cpu=lots is not an amount of memory: try 4G"),
        ({"mem_gb": 8.0, "mem_per_cpu": "4G"}, "exclude each other in Slurm: leave one out"),
        ({"cpus_per_task": 2, "cpus_per_gpu": 2}, "exclude each other"),
        ({"gres": "gpu:a100:1", "gpus_per_node": 1}, "exclude each other"),
        ({"comment": "a\nb"}, "line break or a control character"),
        ({"setup": ["module load x", ""]}, "setup is empty"),
        ({"partition": ""}, "partition=null leaves it out"),
        ({"additional_parameters": {"array": "0-3"}}, "is set by the sweep"),
        ({"additional_parameters": {"job_name": "x"}}, "is set by the sweep"),
        ({"additional_parameters": {"time": 5}}, "write hydra.launcher.timeout_min"),
        ({"additional_parameters": {"--qos": "a"}}, "is not an option of sbatch"),
        ({"additional_parameters": {"mail-type": ["END"]}}, "not a single value"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        validate_options(LauncherOptions(**options))


@pytest.mark.parametrize(
    "options",
    [
        {"gres": "gpu:a100:1"},
        {"gres": "nvme:1", "gpus_per_node": 1},
        {"gpus_per_node": 0, "gres": "gpu:1"},
        {"mem_per_gpu": "40GB"},
        {"additional_parameters": {"hold": True, "mail-type": "END", "reservation": None}},
    ],
)
def test_options_of_slurm_are_accepted(options: dict[str, Any]) -> None:
    validate_options(LauncherOptions(**options))
