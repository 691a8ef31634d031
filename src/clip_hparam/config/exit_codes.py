"""Exit codes of `python sweep.py`, `clip-hparam` and Slurm jobs."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of all commands."""

    OK = 0
    FAILED = 1  # a trial failed; the others ran
    WRONG_USE = 2  # a mistake in the command or the configuration
    STORAGE = 3  # the disk or the scheduler does not work
    INCOMPLETE = 4  # clip-hparam --strict: a planned run has no number yet
    INTERRUPTED = 130  # Ctrl-C or SIGTERM
