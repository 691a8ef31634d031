"""Child processes: they exit with their parent, and a signal that ended one is explained.

Standard library only.
"""

import os
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait


def exit_with_parent() -> None:
    """Start a thread that kills this process when its parent exits or is killed."""
    threading.Thread(target=_kill_when_parent_exits, daemon=True).start()


def signal_cause(number: int) -> str:
    """Return number and name of a signal that ended a process, and its most frequent cause."""
    name = f"signal {number} ({_signal_name(number)})"
    if number == signal.SIGKILL:
        return f"{name}, often sent by the kernel's out-of-memory killer (see dmesg)"
    if number == signal.SIGBUS:
        return f"{name}, often because /dev/shm or the disk is full (see df -h /dev/shm)"
    return name


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "of real time"


def _kill_when_parent_exits() -> None:
    """Wait until the pipe from the parent closes, then send SIGKILL to this process."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)
