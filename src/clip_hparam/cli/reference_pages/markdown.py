"""Parts of Markdown pages."""

from collections.abc import Iterable, Sequence

BREAKS_A_CELL = str.maketrans({"|": "\\|", "\n": " "})


def code(text: object) -> str:
    """Return a text in backquotes, and nothing for an empty text."""
    return f"`{text}`" if str(text) else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a bar in a cell is escaped."""
    lines = [list(head), ["---"] * len(head), *map(list, rows)]
    return "\n".join(
        "| " + " | ".join(cell.translate(BREAKS_A_CELL) for cell in line) + " |" for line in lines
    )


def page(title: str, *parts: str) -> str:
    """Return a page of parts; its first lines say that it is generated."""
    note = "<!-- generated from the code: python -m clip_hparam.cli.reference_pages -->"
    return "\n\n".join([f"# {title}", note, *(part.strip("\n") for part in parts)]) + "\n"


def anchor(heading: str) -> str:
    """Return the anchor that a heading of plain text gets in Markdown."""
    kept = (letter for letter in heading.lower() if letter.isalnum() or letter in " -_")
    return "".join(kept).strip().replace(" ", "-")
