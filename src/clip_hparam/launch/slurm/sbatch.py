"""One call of sbatch: its batch script by submitit, its answer, and what its refusal is about."""

import shlex
import shutil
import sys
import time
from dataclasses import asdict
from pathlib import Path

from submitit import SlurmExecutor

from clip_hparam.config.launcher_options import NON_SBATCH_KEYS, LauncherOptions
from clip_hparam.launch.slurm import queries
from clip_hparam.launch.slurm.job_array import JobArray
from clip_hparam.launch.slurm.queries import SchedulerError

RETRY_SECONDS = (2.0, 4.0, 8.0, 16.0, 30.0)  # seconds between attempts while Slurm does not answer
SBATCH_TIMEOUT_SECONDS = 60.0
UNREACHABLE_WORDS = ("contact", "timed out", "connect", "authentication", "communication", "munge")
OPTION_OF_REFUSAL = {  # word of a refusal -> key that it is about
    "partition": "partition",
    "account": "account",
    "qos": "qos",
    "feature": "constraint",
    "gres": "gpus_per_node",
    "memory": "mem_gb",
    "time limit": "timeout_min",
    "array": "array_parallelism",
}


def submit_array(array: JobArray, options: LauncherOptions, code: Path | None) -> str:
    """Id of the array. Raises ValueError, and leaves nothing on disk, if it is refused."""
    path = array.folder / "submission.sh"
    path.write_text(submission_script(array, options, code))
    for pause in (*RETRY_SECONDS, None):
        done = queries.run_command(
            "sbatch", "--parsable", str(path), patience=SBATCH_TIMEOUT_SECONDS
        )
        if not done.returncode:
            return done.stdout.strip().partition(";")[0]
        reason = done.stderr.strip().rpartition(": ")[2]
        if not any(word in done.stderr.lower() for word in UNREACHABLE_WORDS):
            shutil.rmtree(array.folder)
            raise ValueError(refusal_message(reason, options))
        if pause is not None:
            print(f"note: sbatch: {reason}; trying again", file=sys.stderr)
            time.sleep(pause)
            job_id = _find_submitted(array)
            if job_id is not None:
                return job_id
    raise SchedulerError(f"sbatch: {reason}: is Slurm up (scontrol ping)?")


def submission_script(array: JobArray, options: LauncherOptions, code: Path | None) -> str:
    """The batch script of an array, by submitit; `code` is a folder to import this package from.

    srun gives its step one CPU a task unless told again (Slurm 22.05 and newer).
    """
    given = {name: value for name, value in asdict(options).items() if value not in (None, {}, [])}
    words = {name: value for name, value in given.items() if name not in NON_SBATCH_KEYS}
    words |= {"name": array.name, "timeout_min": array.limits.timeout_min}
    if options.cpus_per_task:
        cpus = f"--cpus-per-task={options.cpus_per_task}"
        words["srun_args"] = [cpus, *words.get("srun_args", ())]
    if code is not None:
        path = f'export PYTHONPATH={shlex.quote(str(code))}"${{PYTHONPATH:+:$PYTHONPATH}}"'
        words["setup"] = [*words.get("setup", ()), path]
    executor = SlurmExecutor(folder=array.folder)
    executor.update_parameters(
        **executor._convert_parameters(words), signal_delay_s=array.limits.signal_delay_s
    )
    executor.parameters["map_count"] = len(array.packs)
    python = options.python or shlex.quote(sys.executable)
    command = (
        f"{python} -P -u -m clip_hparam.launch.slurm.job_main {shlex.quote(str(array.folder))}"
    )
    text: str = executor._make_submission_file_text(command, "")
    return text


def refusal_message(reason: str, options: LauncherOptions) -> str:
    """What sbatch said, with the key that it is about."""
    if "submit limit" in reason.lower():
        return (
            f"sbatch refuses more jobs: {reason}; try trials_per_job=8, and see"
            " sacctmgr show assoc format=user,maxsubmitjobs"
        )
    for word, key in OPTION_OF_REFUSAL.items():
        if word in reason.lower():
            given = f"hydra.launcher.{key}={getattr(options, key)}"
            return f"sbatch refuses {given}: {reason}; see sinfo"
    return (
        f"sbatch refuses the job: {reason}; see sinfo, and hydra.launcher.nodes, cpus_per_task,"
        " gpus_per_node and mem_gb"
    )


def _find_submitted(array: JobArray) -> str | None:
    """The attempt that got no answer may have arrived."""
    try:
        return queries.find_array_id(array)
    except SchedulerError:
        return None
