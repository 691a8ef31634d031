"""The files of a figure: PNG, PDF, SVG, and PGF, which LaTeX typesets in the fonts of the paper."""

import re
import shutil
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.text import Text

from clip_hparam.analysis.figures import style
from clip_hparam.records.atomic import write_atomic

DEFAULT_FORMATS = ("png", "pdf")
UNDATED: dict[str, dict[str, Any]] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
TEX_SYSTEMS = ("lualatex", "xelatex", "pdflatex")  # those that read any letter come first
TEX_MARKS = {  # of a text that is no mathematics; matplotlib itself escapes $, %, ^ and _
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "#": r"\#",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
}


def save_figure(
    figure: Figure, folder: Path, name: str, formats: Sequence[str] = DEFAULT_FORMATS
) -> list[Path]:
    """Write name.png (300 dpi), name.pdf, ... into the folder and return their paths.

    Raises:
        ValueError: a format needs LaTeX, which is not installed.
        OSError: the folder cannot be written.
    """
    paths: list[Path] = []
    for suffix in formats:
        content = BytesIO()
        with style.house_style(_parameters(suffix, name)):
            if suffix == "pgf":
                _escape_texts(figure)
            figure.savefig(content, format=suffix, dpi=300, metadata=UNDATED.get(suffix))
        paths.append(folder / f"{name}.{suffix}")
        write_atomic(paths[-1], content.getvalue())
    return paths


def find_tex() -> str:
    """Return the LaTeX program that measures texts for PGF.

    Raises:
        ValueError: none is installed.
    """
    found = next(filter(shutil.which, TEX_SYSTEMS), None)
    if found is None:
        raise ValueError(
            f"--format pgf needs LaTeX ({', '.join(TEX_SYSTEMS)}), and none is on the PATH:"
            " install one, or type --format pdf"
        )
    return found


def _parameters(suffix: str, name: str) -> dict[str, Any]:
    """Return matplotlib parameters of a format; an SVG has ids that depend on its name only."""
    if suffix == "pgf":
        return {"pgf.texsystem": find_tex(), "pgf.rcfonts": False}
    return {"svg.hashsalt": name} if suffix == "svg" else {}


def _escape_texts(figure: Figure) -> None:
    """Escape the marks of TeX in all texts of the figure, which is changed."""
    for text in figure.findobj(Text):
        if isinstance(text, Text) and text.get_text():
            text.set_text(escape_tex(text.get_text()))


def escape_tex(text: str) -> str:
    r"""Return a text with the marks of TeX escaped, apart from those that matplotlib escapes.

    An escaped dollar, `\\$`, stays: `style.safe_text` writes it.
    """
    return re.sub(r"\\(?!\$)|[&#{}~]", lambda mark: TEX_MARKS[mark[0]], text)
