"""The trials that are not done, a line each, with the last failure on record."""

from typing import Any

from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.records.state import FINISHED

MAX_FAILURES = 200


def failure_lines(frames: Frames) -> list[str]:
    """Return a line for each of the first 200 trials that are neither done nor pruned."""
    unfinished = frames.trials[~frames.trials["status"].isin(FINISHED)]
    lines = [
        f"{row['trial_id']} {row['label']}: {row['status']}{_failure_message(row)}"
        for row in unfinished.head(MAX_FAILURES).to_dict("records")
    ]
    more = len(unfinished) - len(lines)
    return [*lines, f"and {more} more"] if more else lines


def _failure_message(row: dict[Any, Any]) -> str:
    message = row.get("failure.message")
    return f": {message}" if isinstance(message, str) else ""
