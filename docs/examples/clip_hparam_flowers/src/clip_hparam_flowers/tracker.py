"""A tracker: one CSV file per trial, a row per epoch and metric."""

import csv
from collections.abc import Mapping
from pathlib import Path

from clip_hparam.training.callbacks.trackers.tracker import TrackedRun, Tracker


class CsvTracker(Tracker):
    """Appends to runs/.trackers/csv/<trial_id>.csv, so that a resumed trial continues its file."""

    def __init__(self, run: TrackedRun, folder: Path) -> None:
        self.file = folder / f"{run.trial_id}.csv"
        if not self.file.exists():
            self._write([("step", "metric", "value"), *(("", k, v) for k, v in run.config.items())])

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        self._write([(step, name, value) for name, value in metrics.items()])

    def close(self, state: str, summary: Mapping[str, float]) -> None:
        self._write([(state, name, value) for name, value in summary.items()])

    def _write(self, rows: list[tuple[object, ...]]) -> None:
        with self.file.open("a", newline="") as file:
            csv.writer(file).writerows(rows)
