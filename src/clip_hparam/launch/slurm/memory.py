"""What to type after Slurm ended a job for its memory. No third-party package."""

import math
import re

OUT_OF_MEMORY_PATTERN = re.compile(r"[^\n]*(memory limit|oom.kill)[^\n]*", re.IGNORECASE)
"""Slurm without cgroups reports a job that it killed for its memory as FAILED."""
BYTES_PATTERN = re.compile(r"\((\d{7,}) > (\d+)\)")
"""Memory in use and the limit of a job, where Slurm polls them."""
OPTION_PATTERN = re.compile(r"^#SBATCH --(mem|mem-per-[cg]pu)=(\d+)([KMGT]?)", re.I | re.M)
GB_OF_UNIT = {"K": 2**-20, "M": 2**-10, "": 2**-10, "G": 1.0, "T": 2**10}
LEAST_GB = 2  # of the miniature
GROWTH = 2.0
"""A job is ended on its way to its peak, which is not known."""


def memory_advice(printed: str, script: str) -> str:
    """Return the memory that a job used and had, and the option to type.

    printed: the line by which Slurm ended the job. script: the batch script of the job.
    """
    found = BYTES_PATTERN.search(printed)
    used, limit = (int(text) / 2**30 for text in found.groups()) if found else (0.0, 0.0)
    option = OPTION_PATTERN.search(script)
    key, given = (option[1].replace("-", "_"), _gigabytes(option)) if option else ("mem", limit)
    key = "mem_gb" if key == "mem" else key
    facts = [f"it used {used:.2f} GB when Slurm ended it"] if used else []
    if given:
        source = f"hydra.launcher.{key}" if option else "the cluster's default"
        facts.append(f"{round(given, 2):g} GB is {source}")
    if not facts:
        return f"raise hydra.launcher.{key}"
    return f"{', and '.join(facts)}: type hydra.launcher.{key}={_enough(key, used, given)}"


def _gigabytes(option: re.Match[str]) -> float:
    return float(option[2]) * GB_OF_UNIT[option[3].upper()]


def _enough(key: str, used: float, given: float) -> str:
    """Return a value that is GROWTH times the known memory; a job's use says nothing per CPU."""
    if key == "mem_gb":
        return str(max(LEAST_GB, math.ceil(GROWTH * max(used, given))))
    return f"{math.ceil(GROWTH * given)}G"
