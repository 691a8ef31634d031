"""Keep a command running when its output cannot be written: closed pipe, terminal or full disk.

Messages on stderr are broken between words where it is a terminal.
After a pipe (`| head`) or a terminal was closed, further output is dropped without a message.
Output that is lost to a full disk is reported on stderr at the end, and the exit code is 3.
"""

import errno
import io
import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, TextIO

from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.text.wrap import terminal_columns, wrap_text

QUIET_ERRNOS = (errno.EPIPE, errno.EIO)
"""Errors of a pipe without a reader, and of a terminal that was closed."""


class GuardedStream:
    """A text stream whose failed writes are dropped, and all writes after the first failure.

    wraps: break lines that are too long for the terminal. error: the first failure; None so far.
    """

    def __init__(self, stream: TextIO, wraps: bool = False) -> None:
        self._stream, self._wraps = stream, wraps
        self.error: OSError | None = None

    def write(self, text: str) -> int:
        shown = wrap_text(text, terminal_columns(self._stream)) if self._wraps else text
        self._guarded(lambda: self._stream.write(shown))
        return len(text)

    def writelines(self, lines: Any) -> None:
        self._guarded(lambda: self._stream.writelines(lines))

    def flush(self) -> None:
        self._guarded(self._stream.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _guarded(self, act: Callable[[], object]) -> None:
        if self.error is None:
            try:
                act()
            except OSError as error:
                self.error = error
                _discard(self._stream)


def with_guarded_output(main: Callable[..., int]) -> Callable[..., int]:
    """Return a command in which printing never fails; lost output changes its exit code."""

    @wraps(main)
    def guarded(*args: Any, **kwargs: Any) -> int:
        if isinstance(sys.stdout, GuardedStream):  # a command that calls another one
            return main(*args, **kwargs)
        _open_closed_descriptors()
        before = sys.stdout, sys.stderr
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(line_buffering=True)  # a pipe shows each epoch as it ends
        out, err = GuardedStream(before[0]), GuardedStream(before[1], wraps=True)
        sys.stdout, sys.stderr = out, err
        try:
            code = _exit_code(lambda: main(*args, **kwargs))
        finally:
            out.flush()
            err.flush()
            sys.stdout, sys.stderr = before
        if out.error is None or out.error.errno in QUIET_ERRNOS:
            return code
        err.write(f"stdout: {out.error.strerror}: what was printed is incomplete\n")
        err.flush()
        return code or ExitCode.STORAGE

    return guarded


def _exit_code(main: Callable[[], int]) -> int:
    """Return the exit code of a command, also where it exits, as for --help."""
    try:
        return main()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)


def _open_closed_descriptors() -> None:
    """Open /dev/null where stdin, stdout or stderr is closed.

    Else the next file that is opened gets its number, and everything that is printed.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))


def _discard(stream: TextIO) -> None:
    """Send everything that any code writes to the file descriptor from now on to /dev/null."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # no file
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)
