"""The states of a trial, and whether the process that wrote a status.json is still running."""

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

LIVE = ("queued", "running")
STATES = (
    *("planned", *LIVE, "done", "failed", "diverged", "lost"),
    *("timeout", "cancelled", "held", "pruned"),
)
HEARTBEAT_TIMEOUT_SECONDS = 60.0  # a live trial gives a sign of life every five


def is_alive(status: Mapping[str, Any]) -> bool:
    """Here by its process, elsewhere by its last sign of life."""
    if status.get("state") not in LIVE:
        return False
    if status.get("host") == platform.node() and "pid" in status:
        return _process_exists(int(status["pid"]))
    beat = datetime.fromisoformat(status["heartbeat"])
    return (datetime.now(UTC) - beat).total_seconds() < HEARTBEAT_TIMEOUT_SECONDS


def _process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
