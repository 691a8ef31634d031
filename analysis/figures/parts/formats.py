"""The files of a figure: PNG, PDF, SVG, and PGF, which LaTeX typesets in the fonts of the paper."""

import re
import shutil
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_pgf import LatexError
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator

from clip_hparam.analysis.figures import style
from clip_hparam.records.atomic import write_atomic

DEFAULT_FORMATS = ("png", "pdf")
UNDATED: dict[str, dict[str, Any]] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
TEX_SYSTEMS = ("lualatex", "xelatex", "pdflatex")  # those that read any letter come first
TEX_MARKS = {  # for text outside mathematics; matplotlib itself escapes %, ^ and _
    r"\$": r"\textdollar{}",
    "$": r"\textdollar{}",
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

    PGF is written last, as its texts are for LaTeX only.

    Raises:
        ValueError: a format needs LaTeX, which is not installed or cannot typeset the figure.
        OSError: the folder cannot be written.
    """
    paths: list[Path] = []
    for suffix in sorted(formats, key="pgf".__eq__):
        with style.house_style(_parameters(suffix, name)):
            files = _pgf_files(figure, name) if suffix == "pgf" else _file(figure, name, suffix)
        for file, content in files.items():
            paths.append(folder / file)
            write_atomic(paths[-1], content)
    return paths


def _file(figure: Figure, name: str, suffix: str) -> dict[str, bytes]:
    content = BytesIO()
    figure.savefig(content, format=suffix, dpi=300, metadata=UNDATED.get(suffix))
    return {f"{name}.{suffix}": content.getvalue()}


def _pgf_files(figure: Figure, name: str) -> dict[str, bytes]:
    """Return name.pgf and the image files that it includes; the texts of the figure are changed."""
    _escape_texts(figure)
    with TemporaryDirectory() as folder:
        try:
            figure.savefig(Path(folder, f"{name}.pgf"), format="pgf", dpi=300)
        except (ValueError, LatexError) as error:  # its text is several screens long
            lines = [line for line in str(error).splitlines() if line.startswith("!")]
            raise ValueError(
                f"LaTeX cannot typeset {name} ({' '.join(lines[:1]) or type(error).__name__}):"
                " type --format pdf"
            ) from error
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


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
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if isinstance(axis.get_major_locator(), FixedLocator):  # drawing sets these texts anew
                texts = [escape_tex(label.get_text()) for label in axis.get_ticklabels()]
                axis.set_ticks(axis.get_ticklocs(), texts)
    ticks = {label for axes in figure.axes for label in _tick_labels(axes)}
    for text in figure.findobj(Text):
        if isinstance(text, Text) and text not in ticks:
            text.set_text(escape_tex(text.get_text()))


def _tick_labels(axes: Axes) -> list[Text]:
    return [*axes.xaxis.get_ticklabels(which="both"), *axes.yaxis.get_ticklabels(which="both")]


def escape_tex(text: str) -> str:
    r"""Return a text with the marks of TeX escaped, apart from %, ^ and _ (matplotlib's).

    An escaped dollar, `\$`, is what `style.safe_text` writes.
    """
    return re.sub(r"\\\$|[\\&#{}~$]", lambda mark: TEX_MARKS[mark[0]], text)
