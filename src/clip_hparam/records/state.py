"""Whether the process that wrote a status.json still lives. Standard library only."""

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from clip_hparam.records.record import LIVE

SILENT_SECONDS = 60.0  # a live trial gives a sign of life every five


def lives(status: Mapping[str, Any]) -> bool:
    """Here by its process, elsewhere by its last sign of life."""
    if status.get("state") not in LIVE:
        return False
    if status.get("host") == platform.node() and "pid" in status:
        return _runs(int(status["pid"]))
    beat = datetime.fromisoformat(status["heartbeat"])
    return (datetime.now(UTC) - beat).total_seconds() < SILENT_SECONDS


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
