"""Rows of metrics.jsonl without measured times, and how far a killed trial came."""

from typing import Any

from clip_hparam.records.record import Record
from clip_hparam.training.checkpoints import checkpoint

TIMES = ("seconds", "img_per_s", "wait")


def rows_without_times(record: Record) -> list[dict[str, Any]]:
    """Return the rows of a trial without the measured times."""
    return [
        {name: value for name, value in row.items() if name not in TIMES} for row in record.rows()
    ]


def saved_epochs(record: Record) -> int:
    """Return the epochs in the newest checkpoint, which is written while training continues."""
    saved, _ = checkpoint.load(record.checkpoint_folder)
    return len(saved["progress"]["rows"]) if saved else 0


def count_of_last_epoch(record: Record, epochs: int, resumes: bool) -> int:
    """Return how often the log will have the last epoch once a killed trial is done.

    A kill after the line and before the end of the write of its state has the epoch done again.
    """
    path = record.folder / "log.txt"
    logged = path.read_text().count(f"epoch {epochs}/{epochs}") if path.exists() else 0
    return logged + (resumes and saved_epochs(record) < epochs)
