"""Print lines of text as they are: without rich's markup and colours of numbers."""

from rich.console import Console

from clip_hparam.config.text.wrap import wrap_text


def print_plain(console: Console, *lines: str) -> None:
    """Print each text on a line of its own; in a terminal, a long one is broken between words."""
    columns = console.width if console.is_terminal else None
    for line in lines:
        console.print(wrap_text(line, columns), markup=False, highlight=False, soft_wrap=True)
