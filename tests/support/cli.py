"""Run the commands of the project as users type them, and read the files that they leave.

`sweep` and `clip_hparam` call the entry points in this process, which saves 8 s of imports per
call. `sweep_process` and `python` start an interpreter; they are for tests of the process itself:
its exit code after a signal, its environment, its imports, its limits.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from clip_hparam.cli import main as clip_hparam_command
from clip_hparam.cli.hydra_app import app
from clip_hparam.records.record import Record, trial_ids
from support.in_process import Done, call

ROOT = Path(__file__).parents[2]
ASK = "import sys; from clip_hparam.cli.main import main; sys.exit(main())"
SHORT = ("epochs=1", "data.epoch_images=100")  # two optimizer steps


def python(*words: str | Path, cwd: Path, timeout: float = 240, **environment: str) -> Done:
    """Run a new Python interpreter to its end."""
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def sweep(*overrides: str, cwd: Path, **environment: str) -> Done:
    """Run `python sweep.py ...` in this process."""
    return call(app.main, "sweep.py", *overrides, cwd=cwd, **environment)


plan = sweep  # a sweep that starts no trial: dry runs and refused commands


def assert_refused(done: Done, sentence: str, folder: Path) -> None:
    """Check that a mistake ended with one sentence and exit code 2, and wrote no file."""
    assert sentence in done.err
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert list(folder.iterdir()) == []


def sweep_process(*overrides: str, cwd: Path, timeout: float = 240, **environment: str) -> Done:
    """Run `python sweep.py ...` in a new process."""
    return python(ROOT / "sweep.py", *overrides, cwd=cwd, timeout=timeout, **environment)


def start(*overrides: str, cwd: Path) -> subprocess.Popen[str]:
    """Start `python sweep.py ...` in a process group of its own and return without waiting."""
    return _start_process(str(ROOT / "sweep.py"), *overrides, cwd=cwd)


def clip_hparam(*words: str | Path, cwd: Path) -> Done:
    """Run `clip-hparam ...` in this process."""
    return call(clip_hparam_command.main, "clip-hparam", *map(str, words), cwd=cwd)


def describe(*overrides: str, cwd: Path) -> str:
    """Return what `clip-hparam describe ...` prints."""
    done = clip_hparam("describe", *overrides, cwd=cwd)
    assert done.code == 0, done.err
    return done.out


def start_clip_hparam(*words: str, cwd: Path) -> subprocess.Popen[str]:
    """Start `clip-hparam ...` in a process group of its own and return without waiting."""
    return _start_process("-c", ASK, *words, cwd=cwd)


def _start_process(*words: str, cwd: Path) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, *words]
    return subprocess.Popen(
        command,
        cwd=cwd,
        stdout=pipe,
        stderr=pipe,
        text=True,
        start_new_session=True,
        preexec_fn=_accept_ctrl_c,
    )


def _accept_ctrl_c() -> None:
    """Undo what a shell does to its background jobs, and so to the tests in one: ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def fake(folder: Path, name: str, script: str) -> None:
    """Write a shell script `name` into `folder`, which a test puts first on PATH."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def records(folder: Path) -> list[Record]:
    """Return the records of all trials in `folder`/runs."""
    return [Record(folder / "runs", name) for name in trial_ids(folder / "runs")]


def results(folder: Path) -> dict[str, str]:
    """Return the metrics of each trial that is done, as JSON text by trial id."""
    by_id = {record.trial_id: record.result() for record in records(folder)}
    return {name: json.dumps(result["metrics"]) for name, result in by_id.items() if result}


def wait_until(
    condition: Callable[[], bool],
    seconds: float = 180,
    while_runs: subprocess.Popen[str] | None = None,
) -> None:
    """Poll `condition` every 0.05 s; fail after `seconds`, or once the process `while_runs` ends.

    seconds: more than a busy machine takes, since a condition that holds ends the wait at once.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        ended = while_runs is not None and while_runs.poll() is not None
        assert not ended, f"the process ended before the condition was met: {_output(while_runs)}"
        assert time.monotonic() < deadline, f"condition not met within {seconds} s"
        time.sleep(0.05)


def _output(process: subprocess.Popen[str] | None) -> str:
    return "" if process is None else "".join(process.communicate())


def alive(pid: int) -> bool:
    """Return whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
