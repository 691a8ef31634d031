"""What to type after an out-of-memory kill: the request, the memory in use, a larger value."""

import pytest

from clip_hparam.launch.slurm.memory import memory_advice

POLLED = "slurmstepd: error: StepId=8.0 exceeded memory limit (1428549632 > 965738496)"
CGROUP = "slurmstepd: error: Detected 1 oom_kill event in StepId=8.0"


@pytest.mark.parametrize(
    ("printed", "option", "advice"),
    [
        (
            POLLED,
            "--mem=921MB",
            "it used 1.33 GB when Slurm ended it, and 0.9 GB is hydra.launcher.mem_gb: type"
            " hydra.launcher.mem_gb=3",
        ),
        (CGROUP, "--mem=40GB", "40 GB is hydra.launcher.mem_gb: type hydra.launcher.mem_gb=80"),
        (CGROUP, "--mem=512", "0.5 GB is hydra.launcher.mem_gb: type hydra.launcher.mem_gb=2"),
        (
            POLLED,
            "--mem-per-cpu=4G",
            "it used 1.33 GB when Slurm ended it, and 4 GB is hydra.launcher.mem_per_cpu: type"
            " hydra.launcher.mem_per_cpu=8G",
        ),
        (CGROUP, "--mem-per-gpu=60g", "60 GB is hydra.launcher.mem_per_gpu: type hydra.launcher"
         ".mem_per_gpu=120G"),
        (
            POLLED,
            "--time=60",
            "it used 1.33 GB when Slurm ended it, and 0.9 GB is the cluster's default: type"
            " hydra.launcher.mem_gb=3",
        ),
        (CGROUP, "--time=60", "raise hydra.launcher.mem_gb"),
    ],
)  # fmt: skip
def test_advice_has_what_is_known_and_twice_of_it(printed: str, option: str, advice: str) -> None:
    assert memory_advice(printed, f"#!/bin/bash\n#SBATCH {option}\nsrun x\n") == advice
