"""Run the commands of Slurm with a timeout, and read their output. No third-party package."""

import os
import shutil
import subprocess

from clip_hparam.launch.slurm.environment import command_environment

COMMAND_TIMEOUT_SECONDS = 10.0
DEFAULT_MAX_ARRAY_SIZE = 1001  # Slurm's own


class SchedulerError(OSError):
    """A Slurm command is missing, fails or does not respond."""


def missing_command() -> str:
    """Return a command that submits or starts jobs and is not on PATH; empty if all are."""
    return next((name for name in ("sbatch", "srun") if shutil.which(name) is None), "")


def run_command(
    *command: str, timeout: float = COMMAND_TIMEOUT_SECONDS, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a Slurm command with a timeout in seconds; its exit code is not checked.

    Variables of the caller's own Slurm job do not reach it (environment.py).

    Raises: SchedulerError if the command is missing or does not end in time.
    """
    try:
        return subprocess.run(
            command,
            env=command_environment(os.environ),
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError:
        raise SchedulerError(f"there is no {command[0]} on PATH") from None
    except subprocess.TimeoutExpired:
        raise SchedulerError(f"{command[0]} does not respond within {timeout:g} s") from None


def output_lines(*command: str, timeout: float = COMMAND_TIMEOUT_SECONDS) -> list[str]:
    """Run a Slurm command with a timeout in seconds and return the lines of its output.

    Raises: SchedulerError if it fails.
    """
    done = run_command(*command, timeout=timeout)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["without a message"])[-1]
        raise SchedulerError(f"{command[0]} failed: {reason}")
    return done.stdout.splitlines()


def parse_fields(line: str) -> dict[str, str]:
    """Return the fields of a line "Key=value Key=value", as `scontrol -o` prints them."""
    return dict(word.partition("=")[::2] for word in line.split())


def max_array_size() -> int:
    """Return Slurm's MaxArraySize.

    Raises: SchedulerError if scontrol does not respond.
    """
    for line in output_lines("scontrol", "show", "config"):
        key, _, value = line.partition("=")
        if key.strip() == "MaxArraySize":
            return int(value)
    return DEFAULT_MAX_ARRAY_SIZE
