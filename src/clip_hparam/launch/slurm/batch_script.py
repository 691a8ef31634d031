"""The batch script of a job array, made by submitit from the options of the launcher."""

import shlex
import sys
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

from submitit import SlurmExecutor

from clip_hparam.config.options.launcher_options import NON_SBATCH_KEYS, LauncherOptions
from clip_hparam.launch.slurm.job_array import JobArray

OUTPUT_PATTERNS = {"output": "%A_%a_{task}_log.out", "error": "%A_%a_{task}_log.err"}
"""Slurm's file patterns of a job: array id, array task, then "0" or the number of the rank."""
REFUSED_CHARACTERS = {"\\": "a backslash", "\n": "a line break", "\r": "a line break"}
"""Characters of a path that a Slurm file pattern or a line of a batch script cannot hold."""


def submission_script(array: JobArray, options: LauncherOptions, code: Path | None) -> str:
    """Return the batch script of an array.

    code: folder to import this package from; None for the installed package.
    """
    executor = SlurmExecutor(folder=array.folder)
    with warnings.catch_warnings(action="ignore"):  # cpus_per_gpu, of which Slurm knows more
        executor.update_parameters(
            **executor._convert_parameters(_sbatch_parameters(array, options, code)),
            signal_delay_s=array.limits.signal_delay_s,
        )
        executor.parameters["map_count"] = len(array.packs)
        text: str = executor._make_submission_file_text(_command(array, options), "")
    return text


def validate_runs_folder(runs: Path) -> None:
    """Raise ValueError for a path that the file patterns of Slurm cannot hold."""
    for character, name in REFUSED_CHARACTERS.items():
        if character in str(runs.absolute()):
            raise ValueError(
                f"machine.runs={str(runs)!r} lies in a folder with {name} in its name, which Slurm"
                " cannot write to: try machine.runs=FOLDER with another name"
            )


def _sbatch_parameters(
    array: JobArray, options: LauncherOptions, code: Path | None
) -> dict[str, Any]:
    """Return submitit's parameters; options that are None are left out of the script."""
    given = {name: value for name, value in asdict(options).items() if value not in (None, {}, [])}
    parameters = {name: value for name, value in given.items() if name not in NON_SBATCH_KEYS}
    parameters |= {
        "name": array.name,
        "timeout_min": options.timeout_min,
        "nodes": options.nodes,
        "array_parallelism": options.array_parallelism or len(array.packs),
        "wckey": None,  # submitit's own is refused where clusters check it
        "use_srun": False,  # _command calls srun
        "additional_parameters": _patterns(array, task="0") | additional_parameters(options),
    }
    if code is not None:
        path = f'export PYTHONPATH={shlex.quote(str(code))}"${{PYTHONPATH:+:$PYTHONPATH}}"'
        parameters["setup"] = [*parameters.get("setup", ()), path]
    return parameters


def additional_parameters(options: LauncherOptions) -> dict[str, Any]:
    """Return the other options of sbatch; those that are None or false are left out."""
    given = options.additional_parameters.items()
    return {name: value for name, value in given if value is not None and value is not False}


def _command(array: JobArray, options: LauncherOptions) -> str:
    """Return the srun command of the script, which runs job_main once per task."""
    arguments = ["srun", "--unbuffered"]
    arguments += [f"--{name}={path}" for name, path in _patterns(array, task="%t").items()]
    if options.cpus_per_task:  # srun of Slurm 22.05 and newer does not take it from sbatch
        arguments.append(f"--cpus-per-task={options.cpus_per_task}")
    arguments += options.srun_args or []
    python = options.python or shlex.quote(sys.executable)
    main = "clip_hparam.launch.slurm.job_main"
    return f"{shlex.join(arguments)} {python} -P -u -m {main} {shlex.quote(str(array.folder))}"


def _patterns(array: JobArray, task: str) -> dict[str, str]:
    """Return the file patterns of a job's output; a % of the folder itself is escaped."""
    folder = str(array.folder).replace("%", "%%")
    return {name: f"{folder}/{file.format(task=task)}" for name, file in OUTPUT_PATTERNS.items()}
