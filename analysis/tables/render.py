"""Write a table as Markdown, LaTeX (booktabs), CSV and HTML, each with its own escapes."""

import html
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from pandas.io.formats.style import Styler

from clip_hparam.analysis.frames.labels import MISSING_MARK
from clip_hparam.analysis.tables.cell_table import Table
from clip_hparam.config.text.numbers import MINUS_SIGN
from clip_hparam.records.atomic import write_atomic

TEX_SYMBOLS = {
    "±": r"$\pm$",
    "→": r"$\to$",
    "Δ": r"$\Delta$",
    "…": r"\dots{}",
    "[": "{[}",  # a cell that begins with [ or * would be read as an option of the row before
    "]": "{]}",
    "*": "{*}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "\n": " ",
    MINUS_SIGN: "$-$",
    MISSING_MARK: "---",
}
PAGE_CSS = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem; max-width: 75rem }
table { border-collapse: collapse; border-block: 2px solid; font-variant-numeric: tabular-nums }
caption { text-align: left; font-weight: bold; padding-block: .5rem }
th, td { padding: .25rem .7rem; text-align: left } thead th { border-bottom: 1px solid }
""".strip()


def write_table(table: Table, folder: Path) -> list[Path]:
    """Write name.md, name.tex, name.csv and name.html into the folder and return their paths.

    Raises:
        OSError: the folder cannot be written.
    """
    texts = {
        "md": to_markdown(table),
        "tex": to_latex(table),
        "csv": to_csv(table),
        "html": to_html(table),
    }
    paths = [folder / f"{table.name}.{suffix}" for suffix in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        write_atomic(path, text.encode())
    return paths


def to_csv(table: Table) -> str:
    """Return the table's data with unrounded numbers; a missing number is an empty cell."""
    return table.data.to_csv(index=False)


def to_markdown(table: Table) -> str:
    """Return the title in bold, the table and a list of its notes."""
    cells = _escape_cells(table.shown, _escape_markdown)
    bold = table.bold.set_axis(cells.columns, axis="columns")
    cells = cells.mask(bold, "**" + cells + "**")
    body = cells.to_markdown(index=False, disable_numparse=True)
    notes = "\n".join(f"- {_escape_markdown(note)}" for note in table.notes)
    return f"**{_escape_markdown(table.title)}**\n\n{body}\n\n{notes}\n"


def to_latex(table: Table) -> str:
    """Return a table environment, which needs \\usepackage{booktabs}."""
    body = _style_cells(table, escape_tex, "textbf:--rwrap").to_latex(hrules=True)
    notes = "\n".join(rf"\par {escape_tex(note)}" for note in table.notes)
    return (
        "% needs \\usepackage{booktabs}\n"
        f"\\begin{{table}}\n\\centering\n\\caption{{{escape_tex(table.title)}}}\n"
        f"\\label{{tab:{table.name}}}\n{body}\\smallskip\n"
        f"\\begin{{minipage}}{{\\linewidth}}\\footnotesize\n{notes}\n\\end{{minipage}}\n"
        "\\end{table}\n"
    )


def to_html(table: Table) -> str:
    """Return a complete page that needs no network; text from records is escaped."""
    styled = _style_cells(table, html.escape, "font-weight:bold;white-space:nowrap")
    body = styled.set_caption(html.escape(table.title)).to_html()
    notes = "\n".join(f"<p>{html.escape(note)}</p>" for note in table.notes)
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f"<title>{html.escape(table.title)}</title>\n<style>\n{PAGE_CSS}\n</style>\n"
        f"{body}\n{notes}\n</html>\n"
    )


def escape_tex(text: str) -> str:
    """Return the text with LaTeX's special characters escaped and symbols as mathematics."""
    escaped = text.replace("\\", "\0")
    escaped = re.sub(r"([&%$#_{}])", r"\\\1", escaped)
    escaped = escaped.replace("~", r"\textasciitilde{}").replace("^", r"\textasciicircum{}")
    escaped = escaped.replace("\0", r"\textbackslash{}")
    return "".join(TEX_SYMBOLS.get(character, character) for character in escaped)


def _escape_markdown(text: str) -> str:
    return re.sub(r"([\\|*_`<>\[\]&$~])", r"\\\1", text).replace("\n", " ")


def _escape_cells(shown: pd.DataFrame, escape: Callable[[str], str]) -> pd.DataFrame:
    return shown.map(escape).set_axis([escape(str(title)) for title in shown], axis="columns")


def _style_cells(table: Table, escape: Callable[[str], str], emphasis: str) -> Styler:
    cells = _escape_cells(table.shown, escape)
    marks = table.bold.set_axis(cells.columns, axis="columns").map({True: emphasis, False: ""}.get)
    name = re.sub(r"\W", "_", table.name)  # reproducible, unlike pandas' random id
    return cells.style.set_uuid(name).hide(axis="index").apply(lambda _: marks, axis=None)
