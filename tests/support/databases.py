"""Real databases of a test's own, on a free port: of this user, or of one that is not root."""

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
SERVANT = {"postgresql": "postgres", "mysql": "mysql"}  # as Debian's packages make them


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty database, with its password.

    In CI one that is not installed is a failure; elsewhere it is skipped.
    """
    initdb, server = _program("initdb"), _program("postgres")
    with _home("postgresql") as (folder, servant):
        (folder / "password").write_text(SECRET)
        words = [initdb, "-D", folder / "data", "-U", "me", "-A", "md5"]
        _run([*words, f"--pwfile={folder / 'password'}"], servant)
        port = _free_port()
        words = [server, "-D", folder / "data", "-p", str(port), "-k", folder]
        with _served([*words, "-c", "listen_addresses=127.0.0.1"], servant, port):
            yield f"postgresql://me:{SECRET}@127.0.0.1:{port}/postgres"


@contextmanager
def mysql() -> Iterator[str]:
    """The same of MariaDB."""
    install, server = _program("mysql_install_db"), _program("mariadbd")
    with _home("mysql") as (folder, servant):
        _run([install, "--no-defaults", f"--datadir={folder / 'data'}"], servant)
        (folder / "init.sql").write_text(
            "CREATE DATABASE db;\n"
            f"CREATE USER me@'127.0.0.1' IDENTIFIED BY '{SECRET}';\n"
            "GRANT ALL ON db.* TO me@'127.0.0.1';\n"
        )
        port = _free_port()
        words = [server, "--no-defaults", f"--datadir={folder / 'data'}", f"--port={port}"]
        words += [f"--socket={folder / 'socket'}", f"--init-file={folder / 'init.sql'}"]
        with _served([*words, "--bind-address=127.0.0.1", "--skip-name-resolve"], servant, port):
            yield f"mysql://me:{SECRET}@127.0.0.1:{port}/db"


def _program(name: str) -> str:
    places = [*map(str, Path("/usr/lib/postgresql").glob("*/bin")), "/usr/sbin"]
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *places]))
    if found is None and "CI" not in os.environ:
        pytest.skip(f"there is no {name}")
    assert found is not None, f"there is no {name}: .ci/run installs it"
    return found


@contextmanager
def _home(kind: str) -> Iterator[tuple[Path, str]]:
    """A folder, and the user that it belongs to: no database runs as root."""
    servant = getpass.getuser() if os.getuid() else SERVANT[kind]
    with tempfile.TemporaryDirectory() as name:
        shutil.chown(name, servant)
        yield Path(name), servant


def _as(servant: str, words: list[str | Path]) -> list[str]:
    before = [] if os.getuid() else ["runuser", "-u", servant, "--"]
    return [*before, *map(str, words)]


def _run(words: list[str | Path], servant: str) -> None:
    done = subprocess.run(_as(servant, words), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@contextmanager
def _served(words: list[str | Path], servant: str, port: int) -> Iterator[None]:
    null = subprocess.DEVNULL
    with subprocess.Popen(_as(servant, words), stdout=null, stderr=null) as process:
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
