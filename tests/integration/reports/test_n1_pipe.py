"""A closed pipe, a full disk or a closed stdout fails neither a trial nor a command."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import TextIO

import pytest
from support.cli import ASK, SHORT, records
from support.in_process import Done, call

from clip_hparam.cli import main as clip_hparam_command
from clip_hparam.cli.hydra_app import app


def closed_pipe() -> TextIO:
    """Return a pipe that nobody reads, as after `| head` has exited."""
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w")


def full_disk() -> TextIO:
    return Path("/dev/full").open("w")


def run(open_stdout: Callable[[], TextIO], *words: str, cwd: Path) -> Done:
    """Run `sweep.py ...` or `clip-hparam ...` in this process with another stdout."""
    main = app.main if words[0] == "sweep.py" else clip_hparam_command.main

    def main_with_other_stdout() -> int:
        with open_stdout() as stdout, redirect_stdout(stdout):
            return main()

    return call(main_with_other_stdout, *words, cwd=cwd)


@pytest.mark.parametrize("words", [(), ("-m", "seeds=1", "hydra/launcher=inline")])
@pytest.mark.parametrize(("stdout", "code"), [(closed_pipe, 0), (full_disk, 3)])
def test_trial_continues_without_a_reader(
    words: tuple[str, ...], stdout: Callable[[], TextIO], code: int, tmp_path: Path
) -> None:
    done = run(stdout, "sweep.py", *words, *SHORT, cwd=tmp_path)
    expected = "stdout: No space left on device: what was printed is incomplete\n" if code else ""
    assert (done.code, done.err) == (code, expected)
    (record,) = records(tmp_path)
    assert record.is_done()
    assert record.failure() is None
    assert (record.folder / "log.txt").exists() == (words == ())


@pytest.mark.parametrize(
    "words",
    [
        ("sweep.py", "--cfg", "job"),
        ("sweep.py", "--help"),
        ("sweep.py", "-m", "seeds=2", "dry_run=true"),
        ("clip-hparam", "status"),
        ("clip-hparam", "--help"),
        ("clip-hparam", "describe", "lr=1e-3"),
        ("clip-hparam", "completion", "bash"),
    ],
)
def test_closed_pipe_is_no_storage_trouble(words: tuple[str, ...], tmp_path: Path) -> None:
    done = run(closed_pipe, *words, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")


def test_exit_code_of_a_mistake_is_kept(tmp_path: Path) -> None:
    done = run(closed_pipe, "clip-hparam", "why", "nothing", cwd=tmp_path)
    assert done.code == 2
    assert "no trial is called nothing" in done.err


@pytest.mark.parametrize("closed", ["", " <&-", " <&- 2>&-"])
def test_closed_stdout_is_no_file_of_the_command(closed: str, tmp_path: Path) -> None:
    command = f'"$0" -c "$1" status > file; "$0" -c "$1" status >&-{closed}'
    words = ["bash", "-c", command, sys.executable, ASK]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "no sweep is on record" in (tmp_path / "file").read_text()
