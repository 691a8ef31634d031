"""The interface of a command of `clip-hparam`, and its argument parser.

A command prints lines of text, or with --json one JSON value, and returns an exit code. Heavy
imports are inside the commands that need them, because most commands only read records.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.knob import close_names
from clip_hparam.config.text.wrap import terminal_columns, wrap_text
from clip_hparam.records.paths import DEFAULT_RUNS


class Command(NamedTuple):
    """A command: `add_arguments` fills its parser, `run` runs it and returns the exit code."""

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of all commands that read records: --runs and --json."""
    parser.add_argument("--runs", type=Path, default=DEFAULT_RUNS, help="folder of the records")
    parser.add_argument("--json", action="store_true", help="one JSON value on stdout")


def emit(arguments: argparse.Namespace, tree: Any, lines: Iterable[str]) -> None:
    """Print the output: `tree` as JSON with --json, else the lines.

    A line that is too long for a terminal is broken between words; a text of several lines, such as
    a table, is printed as it is.
    """
    if arguments.json:
        print(json.dumps(tree), flush=True)
        return
    columns = terminal_columns(sys.stdout)
    shown = (text if "\n" in text else wrap_text(text, columns) for text in lines)
    print("\n".join(shown), flush=True)


class UsageError(ValueError):
    """An unknown name or a missing folder; the message lists what exists."""


def validate_runs(runs: Path) -> None:
    """Raise UsageError if a folder of records that the user names does not exist.

    The default folder may be missing: nothing has run yet.
    """
    if runs == DEFAULT_RUNS or runs.is_dir():
        return
    beside = runs.parent if runs.parent.is_dir() else Path()
    close = close_names(runs.name, (path.name for path in beside.iterdir() if path.is_dir()))
    meant = " or ".join(str(runs.with_name(name)) for name in close)
    hint = f"did you mean {meant}?" if meant else "name the folder of the records"
    raise UsageError(f"there is no folder {runs}: {hint}")


class CommandParser(argparse.ArgumentParser):
    """argparse with one-sentence errors."""

    def error(self, message: str) -> NoReturn:
        """Exit with one sentence in place of argparse's usage and sentence."""
        self.exit(ExitCode.WRONG_USE, f"{self.prog}: {message}\n")
