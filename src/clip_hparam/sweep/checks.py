"""Checks of a sweep before its trials start."""

import sys
from collections.abc import Mapping
from typing import Any

from clip_hparam.config.options.sweep_options import DEFAULT_FAMILY, SweepOptions
from clip_hparam.config.text.count import counted
from clip_hparam.launch.base import Launcher
from clip_hparam.records.provenance import code_git_state
from clip_hparam.sweep.sweep import Sweep

CONSENT_MESSAGE = (
    "trials of family={} take GPU-hours each: to start them add budget=TIME (such as budget=2d), or"
    " confirm=true"
)


def validate_replay(options: SweepOptions, launcher: Launcher) -> None:
    """Raise ValueError for `replay=true` with a launcher that takes the record for the end."""
    if options.replay and launcher.survives_driver:
        raise ValueError("replay=true runs on this computer: try hydra/launcher=workers")


def needs_consent(family: str, options: SweepOptions) -> bool:
    """Return whether trials of GPU-hours would start without budget= or confirm=true."""
    agreed = options.dry_run or options.confirm or options.budget != "none"
    return family != DEFAULT_FAMILY and not agreed


def validate_detach(options: SweepOptions, launcher: Launcher) -> None:
    """Raise ValueError for `detach=true` with a launcher whose trials end with their driver."""
    if options.detach and not launcher.survives_driver:
        raise ValueError(
            "detach=true: the trials of this launcher end with this command, so it"
            " cannot be detached from them: try hydra/launcher=submitit_slurm"
        )


def validate_detached_race(sweep: Sweep, options: SweepOptions, launcher: Launcher) -> None:
    """Raise ValueError for `detach=true` with a launcher or a race that needs the driver."""
    validate_detach(options, launcher)
    if options.detach and sweep.race:
        raise ValueError(
            "detach=true: the driver of a race decides what runs next, when its trials are done:"
            " leave it running without detach=true, or give it a number, seeds=5"
        )


def warn_if_code_changed(git_states: Mapping[str, Any]) -> None:
    """Print a warning if trials on record were run by code of another git state."""
    current = code_git_state()
    others = sum(state != current for state in git_states.values())
    if others:
        print(
            f"{others} of {counted(len(git_states), 'trial')} on record ran with other code than"
            " this: tables mark them; to run them again, try machine.runs=FOLDER",
            file=sys.stderr,
        )
