"""The environment of Slurm's commands holds no variable of the caller's own job."""

import pytest

from clip_hparam.config.options.launcher_options import LauncherOptions
from clip_hparam.launch.slurm.environment import command_environment, with_user_defaults


@pytest.mark.parametrize(
    "name",
    [
        *("SLURM_MEM_PER_CPU", "SLURM_GPUS_PER_NODE", "SLURM_EXPORT_ENV", "SLURM_CPU_BIND"),
        *("SBATCH_PARTITION", "SBATCH_EXPORT", "SALLOC_ACCOUNT", "SRUN_DEBUG", "PMIX_RANK"),
        *("SQUEUE_FORMAT2", "SLURM_TIME_FORMAT", "SACCT_FORMAT", "SCANCEL_INTERACTIVE"),
        "CUDA_VISIBLE_DEVICES",
    ],
)
def test_variables_of_the_caller_are_dropped(name: str) -> None:
    allocation = {name: "1", "SLURM_JOB_ID": "7", "HOME": "/home/me"}
    assert command_environment(allocation) == {"HOME": "/home/me"}


def test_variables_that_reach_slurm_are_kept() -> None:
    kept = {"SLURM_CONF": "/etc/slurm.conf", "SLURM_CLUSTERS": "big", "CUDA_VISIBLE_DEVICES": ""}
    assert command_environment(kept) == kept


def test_defaults_of_the_user_fill_options_that_are_left_out() -> None:
    environment = {"SBATCH_ACCOUNT": "lab", "SBATCH_PARTITION": "long", "SBATCH_QOS": ""}
    options = with_user_defaults(LauncherOptions(partition="gpu"), environment)
    assert (options.account, options.partition, options.qos) == ("lab", "gpu", None)
