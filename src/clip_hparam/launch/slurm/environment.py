"""The environment of Slurm's commands, without the variables of the caller's own job.

sbatch hands its environment to the new job and lets its variables override the batch script. Inside
an allocation, SLURM_MEM_PER_CPU contradicts `mem_gb` and ends the job. Other variables, such as
SQUEUE_FORMAT, SLURM_TIME_FORMAT or SCANCEL_INTERACTIVE, change what the commands print or ask.

Source: INPUT ENVIRONMENT VARIABLES in sbatch(1), srun(1), squeue(1), scancel(1), scontrol(1).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clip_hparam.config.options.launcher_options import LauncherOptions

DROPPED_PREFIXES = (
    *("SLURM_", "SLURMD_", "SBATCH_", "SALLOC_", "SRUN_", "SQUEUE_", "SACCT_", "SCANCEL_"),
    *("SCONTROL_", "SINFO_", "PMI_", "PMI2_", "PMIX_"),
)
KEPT_VARIABLES = frozenset({"SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_CLUSTERS", "SLURM_JWT"})
"""Which Slurm to reach, and how to authenticate there."""
DEVICE_VARIABLES = frozenset(
    {"CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ZE_AFFINITY_MASK"}
)
"""Slurm sets these in an allocation to the devices of that allocation."""
DEFAULTS_OF_OPTIONS = {  # key of hydra.launcher -> the user's default for sbatch
    "account": "SBATCH_ACCOUNT",
    "partition": "SBATCH_PARTITION",
    "qos": "SBATCH_QOS",
}


def command_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for a Slurm command, and for the jobs that it submits."""
    in_allocation = "SLURM_JOB_ID" in environment
    return {
        name: value
        for name, value in environment.items()
        if name in KEPT_VARIABLES
        or not (name.startswith(DROPPED_PREFIXES) or (in_allocation and name in DEVICE_VARIABLES))
    }


def with_user_defaults(options: LauncherOptions, environment: Mapping[str, str]) -> LauncherOptions:
    """Return the options; those left out take the user's defaults for sbatch, as SBATCH_ACCOUNT."""
    defaults: dict[str, Any] = {
        option: environment[variable]
        for option, variable in DEFAULTS_OF_OPTIONS.items()
        if getattr(options, option) is None and environment.get(variable)
    }
    return replace(options, **defaults)
