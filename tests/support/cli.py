"""Drive the project as its users do, by the command line, and look at what it left."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from clip_hparam.cli.hydra_app import app
from clip_hparam.records.record import Record, trial_ids

ROOT = Path(__file__).parents[2]
FULL = "HYDRA_FULL_ERROR"
ASK = "import sys; from clip_hparam.cli.main import main; sys.exit(main())"
SHORT = ("epochs=1", "data.epoch_images=100")  # two optimiser steps


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


def python(*words: str | Path, cwd: Path, timeout: float = 240, **environment: str) -> Done:
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


def sweep(*overrides: str, cwd: Path, timeout: float = 240, **environment: str) -> Done:
    """`python sweep.py ...`, from a folder that is not the project's."""
    return python(ROOT / "sweep.py", *overrides, cwd=cwd, timeout=timeout, **environment)


def plan(*overrides: str, cwd: Path, **environment: str) -> Done:
    """The same in this process, which spares a second: for what starts nothing."""
    out, err, polite = io.StringIO(), io.StringIO(), signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(cwd)
        patch.setattr("sys.argv", ["sweep.py", *overrides])
        for name, value in {**environment, FULL: ""}.items():
            patch.setenv(name, value)
        del os.environ[FULL]  # set by the command itself, which a further one must not see
        code = app.main()
    signal.signal(signal.SIGTERM, polite)
    return Done(code, out.getvalue(), err.getvalue())


def start(*overrides: str, cwd: Path) -> subprocess.Popen[str]:
    """The same, left running in a process group of its own."""
    return _left_running(str(ROOT / "sweep.py"), *overrides, cwd=cwd)


def clip_hparam(*words: str | Path, cwd: Path) -> Done:
    """`clip-hparam ...`."""
    return python("-c", ASK, *words, cwd=cwd)


def started(*words: str, cwd: Path) -> subprocess.Popen[str]:
    """The same, left running."""
    return _left_running("-c", ASK, *words, cwd=cwd)


def _left_running(*words: str, cwd: Path) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, *words]
    return subprocess.Popen(
        command, cwd=cwd, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )


def fake(folder: Path, name: str, script: str) -> None:
    """A command of that name, for a folder that comes first on PATH."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def records(folder: Path) -> list[Record]:
    return [Record(folder / "runs", name) for name in trial_ids(folder / "runs")]


def results(folder: Path) -> dict[str, str]:
    """Trial id -> sealed metrics as text, of the trials that are done."""
    sealed = {record.trial_id: record.result() for record in records(folder)}
    return {name: json.dumps(result["metrics"]) for name, result in sealed.items() if result}


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """A process that runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
