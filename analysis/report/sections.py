"""The sections of the report that are text: tables, notes, commands, figures, provenance."""

import base64
import re
import shlex
from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.provenance import code_state
from clip_hparam.analysis.evidence.replicates import replicates
from clip_hparam.analysis.evidence.searches.importance import Importance
from clip_hparam.analysis.evidence.searches.replicate_means import PointTable
from clip_hparam.analysis.evidence.searches.summary import format_summary, summarise
from clip_hparam.analysis.figures import registry, style
from clip_hparam.analysis.frames.frame import Frames, done_trials
from clip_hparam.analysis.frames.labels import MISSING_MARK, format_knob
from clip_hparam.analysis.report.error_pictures import (
    NO_PICTURES,
    ErrorPictures,
    error_pictures,
)
from clip_hparam.analysis.report.page.trials import Commands
from clip_hparam.analysis.tables.cell_table import Table
from clip_hparam.analysis.tables.registry import tables_of
from clip_hparam.analysis.tables.systems import systems_table
from clip_hparam.config.text.count import counted
from clip_hparam.config.text.override_words import program_words
from clip_hparam.design.design import merged_overrides

PROVENANCE_COLUMNS = ("versions.", "numerics.", "encoder.weights", "data.fingerprint")
PLAIN_NUMBER = re.compile(r"[-+\N{MINUS SIGN}]?\d[\d,]*(\.\d+)?")
INTERACTIVE = ("cost", "curves")  # figures that the page draws itself


class TableCell(NamedTuple):
    text: str
    bold: bool


class SortableTable(NamedTuple):
    """A table whose columns sort on a click; a table with a title is folded."""

    title: str
    shown: list[str]
    rows: list[list[TableCell]]
    notes: list[str]
    numeric: frozenset[int] = frozenset()  # columns of plain numbers, which are set to the right


class Picture(NamedTuple):
    alt: str
    source: str  # a data URI


class Section(NamedTuple):
    """A section of the page, with the commands that reproduce its cells.

    charts: "sweep" or "search" if the page draws charts for the anchor, else "".
    """

    anchor: str
    title: str
    tables: list[SortableTable]
    figures: list[Picture]
    notes: list[str]
    commands: str
    summary: str = ""  # preformatted lines
    charts: str = ""
    errors: ErrorPictures = NO_PICTURES


def sweep_section(frames: Frames, ablation: Ablation, commands: Commands) -> Section:
    """Return the tables of a sweep and the command of each cell.

    Raises:
        NotSweptError: the sweep has no record yet.
    """
    first, *others = tables_of(frames, ablation.name)
    folded = (_folded_table(table, ablation.title) for table in others)
    tables = [_sortable_table(first), *folded]
    lines = "\n".join(_rerun_commands(frames, ablation, commands))
    return Section(
        ablation.name,
        ablation.title,
        tables,
        [],
        first.notes,
        lines,
        charts="sweep",
        errors=error_pictures(frames, ablation),
    )


def search_section(anchor: str, title: str, points: PointTable, shares: Importance) -> Section:
    """Return the summary of a search, a sampled design or an imported table."""
    summary, _ = summarise(points, shares)
    return Section(anchor, title, [], [], [], "", format_summary(summary), charts="search")


def frame_sections(frames: Frames) -> Iterator[Section]:
    """Yield a section for each figure of all records; published logs come with their table."""
    for name, entry in sorted(registry.FRAME_FIGURES.items()):
        if name in INTERACTIVE or not entry.is_available(frames):
            continue
        picture = _embed_figure(entry.plot(frames), entry.title)
        tables = [systems_table(frames)] if name == "logs" else []
        notes = [note for table in tables for note in table.notes]
        sortable = [_sortable_table(table) for table in tables]
        yield Section(name, entry.title, sortable, [picture], notes, "")


def provenance_lines(frames: Frames) -> list[str]:
    """Return the code, versions, numerics, weights and data of the trials, and unused records."""
    done = done_trials(frames.trials)
    columns = [name for name in done if str(name).startswith(PROVENANCE_COLUMNS)]
    names = [str(name) for name in columns if done[name].notna().any()]
    ours = frames.trials[frames.trials["folder"].notna()]
    code = "" if ours.empty else f"Code: {code_state(ours)}"
    imported = "" if frames.imported is None else "Imported rows: code, weights and data unknown"
    return [
        *filter(None, (code, imported)),
        *(f"{name}: {_value_counts(done[name])}" for name in names),
        *(f"Not used: {problem}" for problem in frames.problems),
    ]


def _sortable_table(table: Table) -> SortableTable:
    rows = [
        [TableCell(str(text), bool(bold)) for text, bold in zip(texts, marks, strict=True)]
        for texts, marks in zip(table.shown.to_numpy(), table.bold.to_numpy(), strict=True)
    ]
    names = [str(name) for name in table.shown]
    columns = [[row[at].text for row in rows] for at in range(len(names))]
    numeric = frozenset(at for at, texts in enumerate(columns) if at and _are_numbers(texts))
    return SortableTable("", names, rows, [], numeric)


def _are_numbers(texts: list[str]) -> bool:
    """Return whether all texts but empty ones are plain numbers, and at least one is."""
    known = [text for text in texts if text not in ("", MISSING_MARK)]
    return bool(known) and all(PLAIN_NUMBER.fullmatch(text) for text in known)


def _folded_table(table: Table, section: str) -> SortableTable:
    """Return a table whose title does not repeat the title of its section."""
    title = table.title.removeprefix(f"{section}: ")
    title = title[:1].upper() + title[1:]
    return _sortable_table(table)._replace(title=title, notes=table.notes)


def _embed_figure(figure: Figure, title: str) -> Picture:
    """Return the figure as an SVG in a data URI, with text as paths and ids of its own."""
    content = BytesIO()
    with style.house_style({"svg.fonttype": "path", "svg.hashsalt": title}):
        figure.savefig(content, format="svg", metadata={"Date": None})
    encoded = base64.b64encode(content.getvalue()).decode()
    return Picture(title, f"data:image/svg+xml;base64,{encoded}")


def _rerun_commands(frames: Frames, ablation: Ablation, commands: Commands) -> Iterator[str]:
    """Yield the command of each cell; none for an imported table."""
    if ablation.imported:
        return
    for cell in replicates(frames, ablation):
        seeds = ",".join(str(seed) for seed in cell.cell.trials)
        known = [commands[name] for name in cell.cell.trials.values() if name in commands]
        # the longest: a trial that was typed alone lacks the levels that are default values
        words = max(known, key=len, default=cell.cell.overrides)
        words = merged_overrides(words, [f"seed={seeds}"])
        yield shlex.join([*program_words(), "-m", *words])


def _value_counts(values: pd.Series) -> str:
    counts = values.dropna().map(format_knob).value_counts()
    return ", ".join(f"{value} ({counted(count, 'trial')})" for value, count in counts.items())
