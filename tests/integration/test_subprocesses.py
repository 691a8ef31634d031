"""Child processes exit with a killed parent."""

import subprocess
import sys
import time

from support.cli import alive

SCRIPT = """
import multiprocessing, os, signal, time
from clip_hparam.subprocesses import exit_with_parent

def child():
    exit_with_parent()
    time.sleep(60)

if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    for _ in range(2):
        process = context.Process(target=child)
        process.start()
        print(process.pid, flush=True)
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_children_exit_within_two_seconds_of_a_killed_parent() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True)
    assert done.returncode == -9
    pids = [int(line) for line in done.stdout.split()]
    assert len(pids) == 2
    deadline = time.monotonic() + 2
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(alive, pids))
