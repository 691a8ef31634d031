"""A child process that does not outlive its parent. Standard library only."""

import os
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait


def exit_with_parent() -> None:
    """From now on this process is killed when its parent ends, however that ends."""
    threading.Thread(target=_kill_when_parent_exits, daemon=True).start()


def _kill_when_parent_exits() -> None:
    """The parent's end of a pipe closes when it goes."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)
