"""Rows of metrics.jsonl without the columns that differ between two runs of a trial."""

from typing import Any

from clip_hparam.records.record import Record

TIMES = ("seconds", "img_per_s", "wait")


def rows_without_times(record: Record) -> list[dict[str, Any]]:
    """Return the rows of a trial without the measured times."""
    return [
        {name: value for name, value in row.items() if name not in TIMES} for row in record.rows()
    ]
