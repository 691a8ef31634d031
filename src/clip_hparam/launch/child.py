"""What a worker process does with its one job. Light to import: the driver imports it too."""

import os
import sys
from pathlib import Path
from typing import Any

from clip_hparam.claim import BusyError
from clip_hparam.job import Job
from clip_hparam.parent import die_with_parent

PRELOAD = ["clip_hparam.trial", "clip_hparam.launch.child"]


def run(tree: dict[str, Any]) -> None:
    """One trial; everything printed goes to its log.txt; exit code 0 if it is done."""
    from clip_hparam import trial  # torch and all: in the warm server already, not in the driver

    die_with_parent()
    job = Job.from_dict(tree)
    _print_to(Path(job.machine.runs) / job.trial_id / "log.txt")
    try:
        state = trial.execute(job, say=print)
    except BusyError as error:
        print(error)
        state = "busy"
    except KeyboardInterrupt:
        state = "cancelled"
    sys.exit(state != "done")


def _print_to(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
