"""What `clip-hparam` can be asked, one module a group of verbs.

A verb takes its parsed words and returns an exit code; with --json it prints one JSON value, else
lines for people. Each pays for its own imports: most answer from the records in milliseconds.
"""

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from clip_hparam.config.exit_codes import ExitCode


class Command(NamedTuple):
    """`words` adds its arguments to a parser, `run` does it and returns the exit code."""

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """The two options that all verbs about records have."""
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of the records")
    parser.add_argument("--json", action="store_true", help="one JSON value on stdout")


def emit(arguments: argparse.Namespace, tree: Any, lines: Iterable[str]) -> None:
    """The answer, for a script or for a person."""
    print(json.dumps(tree) if arguments.json else "\n".join(lines), flush=True)


class UsageError(ValueError):
    """An unknown name or a missing folder; the message lists what exists."""


class CommandParser(argparse.ArgumentParser):
    """argparse with one-sentence errors."""

    def error(self, message: str) -> NoReturn:
        """Exit with one sentence in place of argparse's usage and sentence."""
        self.exit(ExitCode.WRONG_USE, f"{self.prog}: {message}\n")
