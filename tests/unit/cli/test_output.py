"""Messages and lines fit the terminal; in a file or a pipe each is one line, for scripts."""

import io
import sys
from argparse import Namespace

import pytest

from clip_hparam.cli.commands.command import emit
from clip_hparam.cli.output import with_guarded_output

MESSAGE = "unknown knob lrr: did you mean lr? " * 5


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "60")

    def command() -> int:
        print(MESSAGE, file=sys.stderr)
        return 2

    assert with_guarded_output(command)() == 2
    return stream.getvalue()


def test_a_long_message_is_broken_between_words_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = printed(Terminal(), monkeypatch)
    assert text.split() == MESSAGE.split()
    assert max(map(len, text.splitlines())) <= 60


def test_a_long_message_is_one_line_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(io.StringIO(), monkeypatch) == f"{MESSAGE}\n"


def test_lines_of_a_command_fit_the_terminal_and_tables_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal, table = Terminal(), f"name,{'x' * 30}\na b,{'x ' * 40}"
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    emit(Namespace(json=False), None, [MESSAGE, table])
    text = terminal.getvalue()
    assert text.endswith(f"\n{table}\n")
    assert max(map(len, text.removesuffix(f"{table}\n").splitlines())) <= 60
    terminal.truncate(0)
    emit(Namespace(json=True), {"message": MESSAGE}, [])
    assert MESSAGE in terminal.getvalue()
