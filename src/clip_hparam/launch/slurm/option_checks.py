"""Checks of the options of a Slurm job, before anything is submitted."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from clip_hparam.config.options.launcher_options import (
    OPTION_OF_PARAMETER,
    LauncherOptions,
    signal_delay_seconds,
)

LEAST_VALUES = {
    **dict.fromkeys(("timeout_min", "nodes", "tasks_per_node", "array_parallelism"), 1),
    **dict.fromkeys(("cpus_per_task", "cpus_per_gpu"), 1),
    **dict.fromkeys(("gpus_per_node", "gpus_per_task"), 0),
}
MEMORY_PATTERN = re.compile(r"[1-9][0-9]*[KMGT]?B?", re.IGNORECASE)
EXCLUSIVE_OPTIONS = (("mem_gb", "mem_per_cpu", "mem_per_gpu"), ("cpus_per_task", "cpus_per_gpu"))
"""Of each group Slurm takes one option."""
PARAMETER_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
SWEEP_PARAMETERS = ("array", "job-name", "output", "error", "open-mode", "signal", "wrap")
"""Options of sbatch by which a sweep finds its jobs, their output and their end."""


def validate_options(options: LauncherOptions) -> None:
    """Raise ValueError for options that a Slurm job cannot have."""
    for sentence in _mistakes(options):
        raise ValueError(sentence)
    signal_delay_seconds(options)


def _mistakes(options: LauncherOptions) -> Iterator[str]:
    """Yield a sentence for each option that sbatch would refuse or misread."""
    given = {name: value for name, value in asdict(options).items() if value is not None}
    for name, value in given.items():
        if name in LEAST_VALUES and value < LEAST_VALUES[name]:
            yield f"hydra.launcher.{name}={value} is less than {LEAST_VALUES[name]}"
        yield from _text_mistakes(f"hydra.launcher.{name}", value)
    if options.max_num_timeout < 0:
        yield (
            f"hydra.launcher.max_num_timeout={options.max_num_timeout} is negative:"
            " 0 gives a trial one time limit only"
        )
    if options.mem_gb is not None and not 0 < options.mem_gb < float("inf"):
        yield f"hydra.launcher.mem_gb={options.mem_gb:g} is not an amount of memory: try 8, in GB"
    for name in ("mem_per_cpu", "mem_per_gpu"):
        if name in given and not MEMORY_PATTERN.fullmatch(given[name]):
            yield f"hydra.launcher.{name}={given[name]} is not an amount of memory: try 4G or 500M"
    yield from _contradictions(given)
    for name, value in options.additional_parameters.items():
        yield from _parameter_mistakes(name, value)


def _text_mistakes(name: str, value: Any) -> Iterator[str]:
    """Yield a sentence for an empty text, and for one that is not on one line."""
    for text in value if isinstance(value, list) else [value]:
        if not isinstance(text, str):
            continue
        if not text.strip():
            yield f"{name} is empty: {name}=null leaves it out"
        if not text.isprintable():
            yield f"{name}={text!r} has a line break or a control character: write it on one line"


def _contradictions(given: dict[str, Any]) -> Iterator[str]:
    gpu_groups = [("gres", "gpus_per_node")] if "gpu" in given.get("gres", "") else []
    for group in (*EXCLUSIVE_OPTIONS, *gpu_groups):
        names = [f"hydra.launcher.{name}" for name in group if given.get(name)]
        if len(names) > 1:
            yield (
                f"{' and '.join(names)} exclude each other in Slurm: leave one out, with"
                f" {names[0]}=null"
            )


def _parameter_mistakes(name: str, value: Any) -> Iterator[str]:
    """Yield a sentence for another option of sbatch that its script cannot hold."""
    key = f"hydra.launcher.additional_parameters.{name}"
    option = name.replace("_", "-")
    if not PARAMETER_NAME.fullmatch(name):
        yield f"{key} is not an option of sbatch: write its long name without dashes: reservation"
    if option in SWEEP_PARAMETERS:
        yield f"{key} is set by the sweep, which finds its jobs by it: leave it out"
    if option in OPTION_OF_PARAMETER:
        yield f"{key}={value}: write hydra.launcher.{OPTION_OF_PARAMETER[option]}"
    if isinstance(value, (list, dict)):
        yield f"{key}={value} is not a single value: write it as sbatch takes it, such as a,b"
    yield from _text_mistakes(key, value)
