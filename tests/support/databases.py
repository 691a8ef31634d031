"""Real databases for one test, on a free port, run by the current user or one that is not root."""

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.cli import wait_until

SECRET = "not4disk"
SERVICE_USER = {"postgresql": "postgres", "mysql": "mysql"}  # users of Debian's packages


@contextmanager
def postgresql() -> Iterator[str]:
    """Start an empty PostgreSQL database and yield its URL with the password.

    Where PostgreSQL is not installed, the test fails in CI and is skipped elsewhere.
    """
    initdb, server = _program("initdb"), _program("postgres")
    with _home("postgresql") as (folder, user):
        (folder / "password").write_text(SECRET)
        words = [initdb, "-D", folder / "data", "-U", "me", "-A", "md5"]
        _run([*words, f"--pwfile={folder / 'password'}"], user)
        port = _free_port()
        words = [server, "-D", folder / "data", "-p", str(port), "-k", folder]
        with _served([*words, "-c", "listen_addresses=127.0.0.1"], user, port):
            yield f"postgresql://me:{SECRET}@127.0.0.1:{port}/postgres"


@contextmanager
def mysql() -> Iterator[str]:
    """Start an empty MariaDB database and yield its URL with the password."""
    install, server = _program("mysql_install_db"), _program("mariadbd")
    with _home("mysql") as (folder, user):
        _run([install, "--no-defaults", f"--datadir={folder / 'data'}"], user)
        (folder / "init.sql").write_text(
            "CREATE DATABASE db;\n"
            f"CREATE USER me@'127.0.0.1' IDENTIFIED BY '{SECRET}';\n"
            "GRANT ALL ON db.* TO me@'127.0.0.1';\n"
        )
        port = _free_port()
        words = [server, "--no-defaults", f"--datadir={folder / 'data'}", f"--port={port}"]
        words += [f"--socket={folder / 'socket'}", f"--init-file={folder / 'init.sql'}"]
        with _served([*words, "--bind-address=127.0.0.1", "--skip-name-resolve"], user, port):
            yield f"mysql://me:{SECRET}@127.0.0.1:{port}/db"


def _program(name: str) -> str:
    places = [*map(str, Path("/usr/lib/postgresql").glob("*/bin")), "/usr/sbin"]
    program = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *places]))
    if program is None and "CI" not in os.environ:
        pytest.skip(f"there is no {name}")
    assert program is not None, f"there is no {name}: .ci/run installs it"
    return program


@contextmanager
def _home(kind: str) -> Iterator[tuple[Path, str]]:
    """Yield a folder and the user that owns it; databases refuse to run as root."""
    user = getpass.getuser() if os.getuid() else SERVICE_USER[kind]
    with tempfile.TemporaryDirectory() as name:
        shutil.chown(name, user)
        yield Path(name), user


def _as(user: str, words: list[str | Path]) -> list[str]:
    before = [] if os.getuid() else ["runuser", "-u", user, "--"]
    return [*before, *map(str, words)]


def _run(words: list[str | Path], user: str) -> None:
    done = subprocess.run(_as(user, words), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@contextmanager
def _served(words: list[str | Path], user: str, port: int) -> Iterator[None]:
    null = subprocess.DEVNULL
    with subprocess.Popen(_as(user, words), stdout=null, stderr=null) as process:
        try:
            wait_until(lambda: _answers(port), 60)
            yield
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
