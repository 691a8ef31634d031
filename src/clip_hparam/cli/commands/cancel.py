"""cancel: stop the driver of a sweep and cancel its Slurm jobs."""

import argparse
import os
import signal
import time
from pathlib import Path

from clip_hparam.cli.commands import name_lookup
from clip_hparam.cli.commands.command import Command, add_common_arguments, emit
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.text.count import counted
from clip_hparam.launch.slurm import job_poller
from clip_hparam.records.lock import LockHolder, is_locked, lock_holder
from clip_hparam.records.paths import command_line, driver_lock, sweeps_folder
from clip_hparam.records.state import SCHEDULED

CANCEL_TIMEOUT_SECONDS = 90.0  # a driver gives its trials 60 s to save their state


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sweep", help="name or id of a sweep")
    add_common_arguments(parser)


def _run_cancel(arguments: argparse.Namespace) -> int:
    """Cancel a sweep; its trials have ended when this returns and keep their saved state."""
    manifest = name_lookup.choose_manifest(arguments.runs, arguments.sweep)
    arrays = job_poller.create_poller(arguments.runs, manifest.sweep_id)
    sent = job_poller.newest_handles(arrays)
    states = arrays.poll(sent)
    alive = [handle for handle in sent if states[handle.trial_id] in SCHEDULED]
    job_poller.cancel_jobs(alive)
    driver = None if alive else _stop_driver(arguments.runs, manifest.sweep_id)
    jobs = sorted({handle.id for handle in alive})
    facts = {"sweep": manifest.name, "jobs": jobs, "driver": driver and driver.pid}
    ended = f"driver {driver.pid} and its trials" if driver else _count_jobs(len(alive), len(jobs))
    again = command_line("retry", manifest.name, runs=arguments.runs)
    line = f"{ended} of {manifest.name} ended, and their checkpoints are kept: {again} continues"
    nothing = f"no trial of {manifest.name} is running"
    emit(arguments, facts, [line if jobs or driver else nothing])
    return ExitCode.OK


def _count_jobs(trials: int, jobs: int) -> str:
    """Return "2 jobs", or "8 trials in 2 jobs" if jobs have several trials."""
    named = counted(jobs, "job")
    return named if trials == jobs else f"{counted(trials, 'trial')} in {named}"


def _stop_driver(runs: Path, sweep_id: str) -> LockHolder | None:
    """Send SIGTERM to the driver of a sweep, wait until it exits and return it, None if none runs.

    Raises: ValueError if the driver runs on another host, or does not exit within 90 s.
    """
    folder, lock = sweeps_folder(runs), driver_lock(sweep_id)
    if not is_locked(folder, lock):
        return None
    driver = lock_holder(folder, lock)
    if driver is None or driver.host != os.uname().nodename:
        raise ValueError(
            f"the driver of {sweep_id} is {driver or 'another process'}: cancel it there"
        )
    os.kill(driver.pid, signal.SIGTERM)
    deadline = time.monotonic() + CANCEL_TIMEOUT_SECONDS
    while is_locked(folder, lock):
        if time.monotonic() > deadline:
            raise ValueError(
                f"driver {driver.pid} does not stop: kill -9 {driver.pid} loses nothing"
            )
        time.sleep(0.1)
    return driver


COMMANDS = (Command("cancel", "cancel a sweep, here or in Slurm", _add_arguments, _run_cancel),)
