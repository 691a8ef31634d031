"""MkDocs hook: pages for files outside docs/ that pages link to.

Links in docs/ are those of the repository, such as ../sweeps/ladder.yaml. The site has a page for
each such file below project/: Markdown as it is, a notebook with its outputs, a folder as a list,
any other text as code. So no link needs a host of the code.
"""

import json
import os.path
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
DOCS, PROJECT = "docs", "project"
LINK = re.compile(r"(?<=\]\()([^)#\s]+)(#[^)\s]*)?(?=\))")
FENCE = re.compile(r" *(```|~~~)")
CODE_SPAN = re.compile(r"`[^`]+`")
IMAGES = (".png", ".svg", ".jpg")
LANGUAGES = {".py": "python", ".yaml": "yaml", ".toml": "toml", ".cfg": "ini", ".json": "json"}
NOT_SEARCHED = "---\nsearch: {exclude: true}\n---\n"
LISTED = (*LANGUAGES, ".md", ".ipynb")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each file and folder that a page links to, and that is no page yet."""
    waiting = [f"{DOCS}/{page.src_uri}" for page in files.documentation_pages()]
    seen = set(waiting)
    while waiting:
        source = waiting.pop()
        uri = site_uri(source)
        if uri.startswith(f"{PROJECT}/"):
            files.append(File.generated(config, uri, content=page_text(ROOT / source)))
        found = set(linked_files(source, page_text(ROOT / source)))
        waiting += sorted(found - seen)
        seen |= found
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Point the links of a page to the pages of the site."""
    source = repository_path(page.file.src_uri)
    folder = PurePosixPath(page.file.src_uri).parent

    def moved(match: re.Match[str]) -> str:
        target = target_of(source, match[1])
        if target is None:
            return match[0]
        return os.path.relpath(site_uri(target), folder) + (match[2] or "")

    return with_text_lines(markdown, lambda line: unescaped_bars(LINK.sub(moved, line)))


def with_text_lines(markdown: str, change: Callable[[str], str]) -> str:
    """Return a page whose lines outside code blocks are changed."""
    lines, in_code = [], False
    for line in markdown.splitlines():
        if FENCE.match(line):
            in_code = not in_code
        lines.append(line if in_code else change(line))
    return "\n".join(lines)


def unescaped_bars(line: str) -> str:
    """Return a row of a table with plain bars in code: Python-Markdown shows the backslash."""
    if not line.startswith("|"):
        return line
    return CODE_SPAN.sub(lambda span: span[0].replace("\\|", "|"), line)


def linked_files(source: str, text: str) -> Iterator[str]:
    """Yield the files and folders of the repository that a page links to and that need a page."""
    found: list[str] = []
    with_text_lines(text, lambda line: found.extend(m[1] for m in LINK.finditer(line)) or line)
    for link in found:
        target = target_of(source, link)
        if target is not None and not target.endswith(IMAGES):
            yield target


def target_of(source: str, link: str) -> str | None:
    """Return the path in the repository that a link of `source` means; None for a URL."""
    if "://" in link or link.startswith(("mailto:", "data:")):
        return None
    base = PurePosixPath(source)
    folder = base if (ROOT / source).is_dir() else base.parent
    target = os.path.normpath(folder / link)
    return target if (ROOT / target).exists() else None  # MkDocs reports it as a broken link


def site_uri(target: str) -> str:
    """Return the page (or image) of the site for a path in the repository."""
    inside = target.removeprefix(f"{DOCS}/")
    is_page = target.endswith((".md", *IMAGES))
    if is_page:
        return inside if target.startswith(f"{DOCS}/") else f"{PROJECT}/{target}"
    suffix = "/index.md" if (ROOT / target).is_dir() else ".md"
    return f"{PROJECT}/{target}{suffix}"


def repository_path(uri: str) -> str:
    """Return the path in the repository that a page of the site shows."""
    if not uri.startswith(f"{PROJECT}/"):
        return f"{DOCS}/{uri}"
    inside = uri.removeprefix(f"{PROJECT}/")
    names = (inside, inside.removesuffix("/index.md"), inside.removesuffix(".md"))
    return next(name for name in names if (ROOT / name).exists())


def page_text(path: Path) -> str:
    """Return the Markdown that shows a file or a folder."""
    name = path.relative_to(ROOT)
    if path.is_dir():
        entries = sorted(one for one in path.iterdir() if one.suffix in LISTED or one.is_dir())
        twins = {one.with_suffix(".py") for one in entries if one.suffix == ".ipynb"}
        shown = [one.name for one in entries if one.name[0] not in "._" and one not in twins]
        return NOT_SEARCHED + "\n".join(
            [f"# {name}/", "", *(f"- [{one}]({one})" for one in shown), ""]
        )
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    if path.suffix == ".ipynb":
        return "\n\n".join(notebook_parts(json.loads(text)))
    language = LANGUAGES.get(path.suffix, "text")
    return f"{NOT_SEARCHED}# {name.name}\n\n`{name}`\n\n````{language}\n{text}````\n"


def notebook_parts(notebook: dict[str, Any]) -> Iterator[str]:
    """Yield the cells of a notebook with their outputs: text, tables and pictures."""
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            yield source
        elif cell["cell_type"] == "code":
            yield f"````python\n{source}\n````"
            yield from map(output_text, cell["outputs"])


def output_text(output: dict[str, Any]) -> str:
    """Return an output of a cell: a picture, else its table or text."""
    data = output.get("data", {})
    if "image/png" in data:
        return f"![output](data:image/png;base64,{''.join(data['image/png']).strip()})"
    if "text/html" in data:
        return f'<div class="output">{"".join(data["text/html"])}</div>'
    if "text/markdown" in data:
        return "".join(data["text/markdown"])
    text = "".join(data.get("text/plain", output.get("text", "")))
    return f"````text\n{text.rstrip()}\n````"
