"""Options of sweeps on Slurm, the jobs of a sweep, and signals and limits for these jobs."""

import json
import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread

from clip_hparam.cli.hydra_app.compose import compose_recipe
from clip_hparam.config.identity import trial_id
from clip_hparam.launch.slurm.job_array import JobArray, list_job_arrays
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.record import Record
from support.cli import SHORT, records, wait_until
from support.metrics_rows import rows_without_times
from support.slurm_cluster import Cluster

SLURM = ("hydra/launcher=submitit_slurm", "hydra.launcher.timeout_min=30")
LONG = ("epochs=2000", "data.epoch_images=100", "machine.checkpoint_seconds=0")
"""A trial that runs until a test ends it."""
TIMEOUT_SECONDS = 120.0


def trial_id_of(seed: int, words: Sequence[str] = SHORT) -> str:
    own = [word for word in words if not word.startswith("machine.")]
    return trial_id(resolve(compose_recipe([*own, f"seed={seed}"])))


def submitted_arrays(folder: Path) -> list[JobArray]:
    return list_job_arrays(folder / "runs")


def job_of(record: Record) -> str:
    """Return the id of the newest job of a trial."""
    handles = [
        handle for array in list_job_arrays(record.folder.parent) for handle in array.handles()
    ]
    return [handle.id for handle in handles if handle.trial_id == record.trial_id][-1]


def train(folder: Path, count: int, done: int = 0) -> list[Record]:
    """Wait until `done` trials are done and `count` have a checkpoint; return all records by seed.

    A trial deletes its checkpoint when it is done.
    """

    def so_far() -> tuple[int, int]:
        known = records(folder)
        return sum(record.is_done() for record in known), sum(map(saved, known))

    wait_until(lambda: so_far() == (done, count), TIMEOUT_SECONDS)
    return sorted(records(folder), key=seed_of)


def saved(record: Record) -> bool:
    return any(record.folder.glob("checkpoint/*.sha256"))


def seed_of(record: Record) -> int:
    recipe = record.recipe()
    assert recipe is not None
    return int(recipe["recipe"]["seed"])


def metrics_text(record: Record) -> str:
    """Return the metrics of a done trial, final and per epoch, as JSON text without times."""
    result = record.result()
    assert result is not None, record.status()
    return json.dumps([result["metrics"], rows_without_times(record)])


def accounting_rows(slurm: Cluster, job_id: str, *more: str) -> list[str]:
    """Return "STATE|EXIT CODE" of a job, or of each task of an array, from sacct."""
    asked = ("sacct", "-n", "-X", "-P", "-j", job_id, "-o", "State,ExitCode", *more)
    return slurm(*asked).splitlines()


def warn(slurm: Cluster, record: Record) -> None:
    """Send the signal that Slurm sends before a time limit."""
    slurm("scancel", f"--signal={signal.SIGUSR2.name}", job_of(record))


def limit(slurm: Cluster, record: Record, end: str) -> None:
    """Set the end time of a job, as "now+SECONDS"; Slurm enforces it every 30 s.

    Slurm refuses "now" if the clock ticks before the request arrives.
    """
    slurm("scontrol", "update", f"JobId={job_of(record)}", f"EndTime={end}")


def pause(record: Record) -> None:
    """Stop the process of a trial (SIGSTOP)."""
    os.kill(record.status()["pid"], signal.SIGSTOP)


def keep_paused(record: Record) -> None:
    """Stop the process of a trial again and again until it has been killed.

    At a time limit Slurm continues a stopped process, and milliseconds suffice to save the state.
    """
    pid = record.status()["pid"]

    def stop_repeatedly() -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        with suppress(ProcessLookupError):
            while time.monotonic() < deadline:
                os.kill(pid, signal.SIGSTOP)
                time.sleep(0.001)

    Thread(target=stop_repeatedly, daemon=True).start()


def resume_once_signalled(record: Record) -> None:
    """Continue a stopped trial once its save signal is pending; Slurm may have continued it."""
    pid = record.status()["pid"]
    with suppress(ProcessLookupError):
        wait_until(lambda: has_pending_signal(pid))
        os.kill(pid, signal.SIGCONT)


def has_pending_signal(pid: int) -> bool:
    """Return whether the save signal is pending.

    Raises: ProcessLookupError if the process has exited.
    """
    os.kill(pid, 0)
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:  # it has exited since
        raise ProcessLookupError(pid) from None
    waiting = [int(line.split()[1], 16) for line in status.splitlines() if "Pnd:" in line]
    return any(mask >> (signal.SIGUSR2 - 1) & 1 for mask in waiting)


def kill_task(record: Record) -> None:
    """Kill all processes of a Slurm task at once, the supervising one included."""
    group = os.getpgid(record.status()["pid"])
    assert group != os.getpgrp()
    os.killpg(group, signal.SIGKILL)
