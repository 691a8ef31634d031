"""MLflow: a run per trial, an experiment per sweep, in MLFLOW_TRACKING_URI or a SQLite file."""

import fcntl
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from clip_hparam.records.credentials import without_password
from clip_hparam.training.callbacks.trackers.tracker import TrackedRun, Tracker

ID_TAG = "clip_hparam.trial_id"
STATUS = {"done": "FINISHED", "pruned": "FINISHED", "queued": "SCHEDULED", "cancelled": "KILLED"}
"""MLflow's status by the state of an attempt; FAILED for the others."""


class MlflowTracker(Tracker):
    """Logs by optimizer step; the run is found again by its tag ID_TAG."""

    package: ClassVar[str] = "mlflow"
    extra: ClassVar[str] = "clip-hparam[mlflow]"

    def __init__(self, run: TrackedRun, folder: Path) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        from mlflow import MlflowClient  # lazy: mlflow, 1 s, an extra
        from mlflow.entities import Metric, Param

        self._metric, self._param = Metric, Param
        with _locked(folder):  # the first connection creates the tables
            self._client = MlflowClient(_uri(folder))
            experiment = self._experiment(run.group, folder)
        runs = self._client.search_runs([experiment], f"tags.`{ID_TAG}` = '{run.trial_id}'")
        if runs:
            self._id: str = runs[0].info.run_id
            self._client.update_run(self._id, status="RUNNING")
            return
        tags = {ID_TAG: run.trial_id, **{f"tag.{tag}": "true" for tag in run.tags}}
        created = self._client.create_run(experiment, tags=tags, run_name=run.name)
        self._id = created.info.run_id
        params = [Param(name, str(value)) for name, value in run.config.items()]
        self._client.log_batch(self._id, params=params)

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        now = int(time.time() * 1000)
        values = [self._metric(name, value, now, step) for name, value in metrics.items()]
        self._client.log_batch(self._id, metrics=values)

    def close(self, state: str, summary: Mapping[str, float]) -> None:
        if summary:
            self.log(0, {f"final/{name}": value for name, value in summary.items()})
        self._client.set_tag(self._id, "state", state)
        self._client.set_terminated(self._id, STATUS.get(state, "FAILED"))

    @classmethod
    def destination(cls, folder: Path) -> str:
        return without_password(_uri(folder))

    def _experiment(self, name: str, folder: Path) -> str:
        experiment = self._client.get_experiment_by_name(name)
        if experiment is not None:
            return str(experiment.experiment_id)
        location = {} if _is_remote() else {"artifact_location": str(folder / "artifacts")}
        return str(self._client.create_experiment(name, **location))


def _is_remote() -> bool:
    return bool(os.environ.get("MLFLOW_TRACKING_URI"))


def _uri(folder: Path) -> str:
    local = f"sqlite:///{folder.absolute() / 'mlflow.db'}"
    return os.environ.get("MLFLOW_TRACKING_URI") or local


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other trials out while this one connects."""
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
