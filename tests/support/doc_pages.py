"""Pages of the documentation: their headings, links, code blocks and commands."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from support.cli import ROOT

FENCE = re.compile(r"^ *(```+|~~~+) *(\w*)")
HEADING = re.compile(r"^#{1,6} +(.*?) *#*$")
LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")
SPAN = re.compile(r"`[^`]*`")
MARKUP = re.compile(r"\[([^\]]*)\]\([^)]*\)|[`*]")
PROGRAMS = ("python sweep.py", "clip-hparam", "make", "python -m analysis")
GENERATED = "reference"


class Block(NamedTuple):
    """A code block; `language` is empty for an indented one."""

    language: str
    text: str


class Command(NamedTuple):
    """A command line of a page. is_form: with brackets and alternatives, as in a usage line."""

    page: str
    text: str
    is_form: bool

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text, comments=True)


def pages() -> list[Path]:
    """Return all Markdown files that people read, generated ones included."""
    folders = (ROOT, ROOT / "docs", ROOT / "docs" / GENERATED, ROOT / "benchmarks")
    model_card = ROOT / "src/clip_hparam/model/tiny_clip/MODEL_CARD.md"
    return [path for folder in folders for path in sorted(folder.glob("*.md"))] + [model_card]


def text_lines(page: Path) -> Iterator[str]:
    """Yield the lines outside code blocks."""
    fence = ""
    for line in page.read_text().splitlines():
        match = FENCE.match(line)
        if match and not fence:
            fence = match[1]
        elif fence:
            fence = "" if line.strip().startswith(fence) else fence
        else:
            yield line


def anchors(page: Path) -> list[str]:
    """Return the anchors of the headings: letters, digits, - and _, and a number if repeated."""
    found: list[str] = []
    for line in text_lines(page):
        if match := HEADING.match(line):
            text = MARKUP.sub(lambda m: m[1] or "", match[1]).lower()
            plain = re.sub(r"[^\w\- ]", "", text).strip().replace(" ", "-")
            repeats = sum(
                re.fullmatch(rf"{re.escape(plain)}(-\d+)?", one) is not None for one in found
            )
            found.append(f"{plain}-{repeats}" if repeats else plain)
    return found


def links(page: Path) -> list[str]:
    """Return the targets of the links, without URLs."""
    lines = (SPAN.sub("", line) for line in text_lines(page))
    targets = [target for line in lines for target in LINK.findall(line)]
    return [target for target in targets if "://" not in target]


def blocks(page: Path) -> Iterator[Block]:
    """Yield the code blocks, fenced and indented ones."""
    fence, language, lines = "", "", list[str]()
    for line in [*page.read_text().splitlines(), ""]:
        match = FENCE.match(line)
        if match and not fence:
            fence, language, lines = match[1], match[2], []
        elif fence and line.strip().startswith(fence):
            yield Block(language, "\n".join(lines) + "\n")
            fence, lines = "", []
        elif fence:
            lines.append(line)
        elif line.startswith("    "):
            lines.append(line[4:])
        elif lines:
            yield Block("", "\n".join(lines) + "\n")
            lines = []


def commands(page: Path) -> Iterator[Command]:
    """Yield the commands of a page: in sh and console blocks all, in others those of PROGRAMS."""
    name = str(page.relative_to(ROOT))
    if page.parent.name == GENERATED:  # its usage lines are those of the parsers
        return
    for language, text in blocks(page):
        joined = text.replace("\\\n", " ")
        for line in joined.splitlines():
            shown = line.removeprefix("$ ").strip()
            is_typed = language == "sh" or (language == "console" and line.startswith("$ "))
            is_ours = language in ("", "text") and shown.startswith(PROGRAMS) and "..." not in shown
            if shown and not shown.startswith("#") and (is_typed or is_ours):
                yield Command(name, shown, is_form=language == "")
