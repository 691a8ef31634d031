"""Commands that messages name are built by one function for each program, which adds the folder."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from support.cli import ROOT

VERBS = (
    "status|why|cancel|retry|tables|figures|report|summary|gather|compare|export-recipe|fidelity"
    "|verify|gc|pack"
)
COMMAND = re.compile(rf"clip-hparam ({VERBS})\b|python -m analysis \w|sweep.py -m sweeps=")
WITHOUT_RECORDS = {"src/clip_hparam/cli/reference/overview.py"}
"""The help of the commands."""


def texts(path: Path) -> Iterator[str]:
    """Yield the texts in the code of a module, without its docstrings."""
    tree = ast.parse(path.read_text())
    documented = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in documented:
            yield node.value  # type: ignore[attr-defined]


def test_no_message_spells_a_command_that_reads_records() -> None:
    files = [*(ROOT / "src" / "clip_hparam").rglob("*.py"), *(ROOT / "analysis").rglob("*.py")]
    found = [
        (str(path.relative_to(ROOT)), text)
        for path in files
        if not {"notebooks", "reference_pages"} & set(path.parts)  # pages of the documentation
        for text in texts(path)
        if COMMAND.search(text)
    ]
    assert [pair for pair in found if pair[0] not in WITHOUT_RECORDS] == []
