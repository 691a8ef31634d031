"""Files and locks of a record, when their process is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clip_hparam.records.lock import FolderLockedError, lock_folder


def test_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    code = (
        "import sys; from pathlib import Path\n"
        "from clip_hparam.records.atomic import write_atomic\n"
        "for n in range(10**9): write_atomic(Path(sys.argv[1]), bytes([n % 256]) * 300_000)"
    )
    for _ in range(5):
        writer = subprocess.Popen([sys.executable, "-c", code, path])
        while not path.exists():
            time.sleep(0.01)
        time.sleep(0.05)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        content = path.read_bytes()
        assert len(content) == 300_000
        assert len(set(content)) == 1
        path.unlink()


def test_lock_excludes_other_processes_and_ends_with_its_process(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from clip_hparam.records.lock import lock_folder\n"
        "with lock_folder(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(FolderLockedError, match=tmp_path.name), lock_folder(tmp_path):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    with lock_folder(tmp_path):
        assert (tmp_path / ".lock").exists()
