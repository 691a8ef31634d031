"""Print lines of text as they are: without rich's markup, colours of numbers, and line breaks."""

from rich.console import Console


def print_plain(console: Console, *lines: str) -> None:
    """Print each text on a line of its own, however long it is."""
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
