"""Weights & Biases: a run per trial, offline where there is no login."""

import netrc
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from clip_hparam.training.callbacks.trackers.tracker import TrackedRun, Tracker

DEFAULT_URL = "https://api.wandb.ai"
DEFAULT_PROJECT = "clip-hparam"
CONNECT_SECONDS = 20.0  # for the first answer of the server


class WandbTracker(Tracker):
    """Logs by optimizer step; the id of the run is the trial id.

    Of the environment WANDB_MODE, WANDB_PROJECT, WANDB_ENTITY, WANDB_BASE_URL and WANDB_API_KEY are
    used. The command line, the code and facts about the computer are not sent.
    """

    package: ClassVar[str] = "wandb"
    extra: ClassVar[str] = "clip-hparam[wandb]"

    def __init__(self, run: TrackedRun, folder: Path) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        import wandb  # lazy: wandb, 0.4 s, an extra

        settings = wandb.Settings(
            console="off",
            silent=True,
            disable_git=True,
            disable_code=True,
            disable_job_creation=True,
            x_disable_meta=True,
            x_save_requirements=False,
            x_disable_machine_info=True,
            x_disable_stats=True,
            init_timeout=CONNECT_SECONDS,
        )
        self._run = wandb.init(
            project=_project(),
            dir=folder,
            mode="offline" if _is_offline() else "online",
            id=run.trial_id,
            resume="allow",
            group=run.group,
            name=run.name,
            tags=run.tags,
            config=dict(run.config),
            settings=settings,
        )

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        self._run.log(dict(metrics), step=step)

    def close(self, state: str, summary: Mapping[str, float]) -> None:
        self._run.summary.update({"state": state, **summary})
        self._run.finish(exit_code=int(state in ("failed", "diverged", "lost")))

    @classmethod
    def destination(cls, folder: Path) -> str:
        return str(folder) if _is_offline() else f"{_url()}, project {_project()}"


def _project() -> str:
    return os.environ.get("WANDB_PROJECT") or DEFAULT_PROJECT


def _url() -> str:
    return os.environ.get("WANDB_BASE_URL") or DEFAULT_URL


def _is_offline() -> bool:
    """Return whether WANDB_MODE asks for it, or neither WANDB_API_KEY nor netrc holds a login."""
    mode = os.environ.get("WANDB_MODE", "")
    if mode or os.environ.get("WANDB_API_KEY"):
        return mode in ("offline", "dryrun", "disabled")
    file = os.environ.get("NETRC") or Path.home() / ".netrc"
    with suppress(OSError, netrc.NetrcParseError):
        return netrc.netrc(str(file)).authenticators(urlsplit(_url()).hostname or "") is None
    return True
