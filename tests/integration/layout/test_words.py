"""Messages, docstrings and pages use one standard term for one thing."""

import re
from pathlib import Path

from support.cli import ROOT

FOLDERS = ("src", "analysis", "tests", "benchmarks", "docs", "conf", "sweeps")
SKIPPED = (
    Path(__file__).resolve(),
    ROOT / "tests" / "data",
    ROOT / "analysis" / "data",
)
INSTEAD = {
    r"mend(s|ed|ing)?": "fix, repair, correct",
    r"(go|goes|going|went) on": "continue, resume",
    r"(is|are) none of": "is not one of",
    r"not told apart": "not distinguished",
    r"of ours": "recorded, of clip-hparam, our",
    r"(CLIP|it) knew": "zero-shot accuracy",
    r"CLIP's words": "text embeddings of the class names",
    r"lacks? a run": "has a missing run",
    r"(knobs|that) moved together": "varied together",
    r"for ever": "without end",
    r"hitherto|therein|thereof|thereby|whereby|wherein|whereof|hence|thrice|whilst|anew": "again",
}
"""A pattern of a word or phrase, and the terms to use in its place."""


def texts() -> dict[Path, str]:
    """Return the text of all modules, pages and configuration files of the project."""
    files = [path for name in FOLDERS for path in (ROOT / name).rglob("*.[mpy][dya]*")]
    files += [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    kept = (path for path in files if path.suffix in (".py", ".md", ".yaml"))
    return {
        path: path.read_text()
        for path in kept
        if not any(path.resolve().is_relative_to(skipped) for skipped in SKIPPED)
    }


def test_no_text_has_a_word_that_was_replaced() -> None:
    words = re.compile(rf"\b({'|'.join(INSTEAD)})\b", re.IGNORECASE)
    assert [
        f"{path.relative_to(ROOT)}: {match[0]!r}, use one of: {_term_for(match[0])}"
        for path, text in texts().items()
        for match in words.finditer(text)
    ] == []


def _term_for(word: str) -> str:
    return next(term for old, term in INSTEAD.items() if re.fullmatch(old, word, re.IGNORECASE))
