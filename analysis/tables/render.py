"""A table -> Markdown, LaTeX (booktabs), CSV and HTML, each with its own escapes."""

import html
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from pandas.io.formats.style import Styler

from clip_hparam.analysis.tables.table import MINUS, MISSING, Table
from clip_hparam.records.atomic import write_atomic

TEX = {
    "±": r"$\pm$",
    "→": r"$\to$",
    "Δ": r"$\Delta$",
    "…": r"\dots{}",
    MINUS: "$-$",
    MISSING: "---",
}
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem; max-width: 75rem }
table { border-collapse: collapse; border-block: 2px solid; font-variant-numeric: tabular-nums }
caption { text-align: left; font-weight: bold; padding-block: .5rem }
th, td { padding: .25rem .7rem; text-align: left } thead th { border-bottom: 1px solid }
""".strip()


def write(table: Table, folder: Path) -> list[Path]:
    """The four files, each replaced whole; returns their paths. Raises OSError."""
    texts = {"md": markdown(table), "tex": latex(table), "csv": csv(table), "html": page(table)}
    paths = [folder / f"{table.name}.{suffix}" for suffix in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        write_atomic(path, text.encode())
    return paths


def csv(table: Table) -> str:
    """Every number unrounded; a missing one is an empty cell."""
    return table.data.to_csv(index=False)


def markdown(table: Table) -> str:
    cells = _escaped(table.shown, _markdown)
    bold = table.bold.set_axis(cells.columns, axis="columns")
    cells = cells.mask(bold, "**" + cells + "**")
    body = cells.to_markdown(index=False, disable_numparse=True)
    notes = "\n".join(f"- {_markdown(note)}" for note in table.notes)
    return f"**{_markdown(table.title)}**\n\n{body}\n\n{notes}\n"


def latex(table: Table) -> str:
    """A table environment; needs \\usepackage{booktabs}."""
    body = _styled(table, tex, "textbf:--rwrap").to_latex(hrules=True)
    notes = "\n".join(rf"\par {tex(note)}" for note in table.notes)
    return (
        "% needs \\usepackage{booktabs}\n"
        f"\\begin{{table}}\n\\centering\n\\caption{{{tex(table.title)}}}\n"
        f"\\label{{tab:{table.name}}}\n{body}\\smallskip\n"
        f"\\begin{{minipage}}{{\\linewidth}}\\footnotesize\n{notes}\n\\end{{minipage}}\n"
        "\\end{table}\n"
    )


def page(table: Table) -> str:
    """A page of its own that needs no network; text from records stays text."""
    styled = _styled(table, html.escape, "font-weight:bold;white-space:nowrap")
    body = styled.set_caption(html.escape(table.title)).to_html()
    notes = "\n".join(f"<p>{html.escape(note)}</p>" for note in table.notes)
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f"<title>{html.escape(table.title)}</title>\n<style>\n{STYLE}\n</style>\n"
        f"{body}\n{notes}\n</html>\n"
    )


def tex(text: str) -> str:
    """Text as LaTeX sets it: specials escaped, signs in mathematics."""
    escaped = text.replace("\\", "\0")
    escaped = re.sub(r"([&%$#_{}])", r"\\\1", escaped)
    escaped = escaped.replace("~", r"\textasciitilde{}").replace("^", r"\textasciicircum{}")
    escaped = escaped.replace("\0", r"\textbackslash{}")
    return "".join(TEX.get(sign, sign) for sign in escaped)


def _markdown(text: str) -> str:
    return re.sub(r"([\\|*_`<>\[\]])", r"\\\1", text).replace("\n", " ")


def _escaped(shown: pd.DataFrame, escape: Callable[[str], str]) -> pd.DataFrame:
    return shown.map(escape).set_axis([escape(str(title)) for title in shown], axis="columns")


def _styled(table: Table, escape: Callable[[str], str], emphasis: str) -> Styler:
    cells = _escaped(table.shown, escape)
    marks = table.bold.set_axis(cells.columns, axis="columns").map({True: emphasis, False: ""}.get)
    name = re.sub(r"\W", "_", table.name)  # the same bytes each time, unlike a random id
    return cells.style.set_uuid(name).hide(axis="index").apply(lambda _: marks, axis=None)
