"""The callbacks of every trial, and the trackers that follow it."""

import logging
import time
from collections.abc import Iterable
from typing import Any

from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.records.metrics import reported_weights
from clip_hparam.records.record import Record
from clip_hparam.records.state import TrialState
from clip_hparam.training.callbacks.base import TrialCallback
from clip_hparam.training.callbacks.trackers.callback import TrackerCallback

HEARTBEAT_SECONDS = 5.0
logger = logging.getLogger(__name__)


def create_standard_callbacks(record: Record, trackers: Iterable[str] = ()) -> list[TrialCallback]:
    """Return the callbacks of a trial in the order in which they are called; trackers are last."""
    followers = [TrackerCallback(name, record) for name in trackers]
    return [EpochLogger(), Heartbeat(record), *followers]


class EpochLogger(TrialCallback):
    """Logs one line per epoch."""

    def __init__(self) -> None:
        self.epochs = 0

    def on_start(self, spec: TrialSpec) -> None:
        self.epochs = spec.recipe.epochs

    def on_epoch_end(self, rows: list[dict[str, Any]]) -> bool:
        logger.info(format_epoch(rows[-1], self.epochs))
        return False


class Heartbeat(TrialCallback):
    """Writes the step and the current time to status.json every HEARTBEAT_SECONDS."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.last_write = time.monotonic()

    def on_step(self, step: int, total_steps: int) -> None:
        if time.monotonic() - self.last_write > HEARTBEAT_SECONDS:
            self.record.write_status(TrialState.RUNNING, step=step)
            self.last_write = time.monotonic()


def format_epoch(row: dict[str, Any], epochs: int) -> str:
    """Return the log line of an epoch."""
    weights = reported_weights(row)
    return (
        f"epoch {row['epoch'] + 1}/{epochs}  loss {row['train_loss']:.3f}"
        f"  selection acc1 {row[f'selection_acc1.{weights}']:.1f} % ({weights})"
        f"  {row['img_per_s']:.0f} img/s"
    )
