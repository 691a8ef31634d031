"""Child processes exit with a killed parent."""

import subprocess
import sys

from support.cli import alive, wait_until

SCRIPT = """
import multiprocessing, os, signal, time
from clip_hparam.subprocesses import exit_with_parent

def child(ready):
    exit_with_parent()
    ready.set()
    time.sleep(600)

if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    for _ in range(2):
        ready = context.Event()
        process = context.Process(target=child, args=(ready,))
        process.start()
        ready.wait()
        print(process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_children_exit_with_a_killed_parent() -> None:
    """Children inherit stdout: it has lines at once, but ends only with the last child."""
    parent = subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(parent.stdout.readline()) for _ in range(2)]
    assert parent.wait() == -9
    wait_until(lambda: not any(map(alive, pids)), seconds=10)
    parent.stdout.close()
