"""Break lines for a terminal between words; a command to copy stays on one line."""

import os
import re
import sys
from typing import TextIO

DEFAULT_COLUMNS = 80
ARGUMENT = r"(?:'[^']*'|\"[^\"]*\"|-[\w-]+|[^\s,;()]*[=/][^\s;()]*|[A-Z]{2,}\b|[0-9a-f]{12}\b)"
PROGRAM = r"(?:clip-hparam|python sweep\.py|python -m analysis)"
COMMAND = rf"{PROGRAM}(?: [a-z][\w-]*(?![\w=./-]))?(?: {ARGUMENT})*"
PIECE = re.compile(rf"( *)(\(?{COMMAND}\S*|\S+)")
TITLE = re.compile(r"( *)(?:\S.*?\s{2,})?")
"""The indentation of a line, or a title and the space after it: "failure   " of a page."""
MAX_TITLE = 20  # characters, with the space
IN_PLACE = ("\r", "\x1b")
"""Characters of texts that are drawn over others, or in colour."""


def terminal_columns(stream: TextIO) -> int | None:
    """Return the width of the terminal that a stream writes to; None for a file or a pipe.

    The variable COLUMNS counts first.
    """
    if not stream.isatty():
        return None
    if os.environ.get("COLUMNS", "").isdigit():
        return int(os.environ["COLUMNS"])
    try:
        return os.get_terminal_size(stream.fileno()).columns or DEFAULT_COLUMNS
    except (OSError, ValueError):  # no file descriptor
        return DEFAULT_COLUMNS


def wrap_text(text: str, columns: int | None) -> str:
    """Return a text whose lines fit the columns, if their words and commands do.

    A line that is too long is broken between words, and continues below its first word or the
    text after its title. Texts with control characters, and all texts where columns is None, are
    returned as they are.
    """
    if columns is None or any(mark in text for mark in IN_PLACE):
        return text
    return "\n".join(_wrap_line(line, columns) for line in text.split("\n"))


def _wrap_line(line: str, columns: int) -> str:
    if len(line) <= columns:
        return line
    match = TITLE.match(line)
    start = match.end() if match else 0
    start = start if start <= MAX_TITLE else 0
    lines = [""]
    for space, word in PIECE.findall(line):
        has_text = len(lines[-1]) + len(space) > start and lines[-1].strip()
        if has_text and len(lines[-1]) + len(space) + len(word) > columns:
            lines.append(" " * start + word)
        else:
            lines[-1] += space + word
    return "\n".join(lines)


def print_wrapped(text: object, to_stderr: bool = False) -> None:
    """Print a sentence, broken between words where the stream is a terminal."""
    stream = sys.stderr if to_stderr else sys.stdout
    print(wrap_text(str(text), terminal_columns(stream)), file=stream)
