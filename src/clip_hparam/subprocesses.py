"""Child processes that exit with their parent. Standard library only."""

import os
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait


def exit_with_parent() -> None:
    """Start a thread that kills this process when its parent exits or is killed."""
    threading.Thread(target=_kill_when_parent_exits, daemon=True).start()


def _kill_when_parent_exits() -> None:
    """Wait until the pipe from the parent closes, then send SIGKILL to this process."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)
