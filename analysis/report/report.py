"""One self-contained HTML page: conclusions, tables, figures and the commands of all trials.

The page needs no network and opens from file://. All text from records is escaped.
"""

import base64
import shlex
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from jinja2 import Environment, StrictUndefined
from matplotlib.figure import Figure

from clip_hparam.analysis.evidence.ablations import Ablation, ablation_of
from clip_hparam.analysis.evidence.provenance import code_state
from clip_hparam.analysis.evidence.replicates import replicates
from clip_hparam.analysis.evidence.searches.importance import importance
from clip_hparam.analysis.evidence.searches.summary import format_summary, summary_dict
from clip_hparam.analysis.figures import registry, style
from clip_hparam.analysis.figures.search_payoff import plot_importance
from clip_hparam.analysis.frames.frame import Frames, done_trials, sampled_sweeps, trial_table
from clip_hparam.analysis.frames.manifests import output_names
from clip_hparam.analysis.frames.trial_table import TrialTable
from clip_hparam.analysis.report.error_pictures import (
    NO_PICTURES,
    ErrorPictures,
    error_pictures,
)
from clip_hparam.analysis.report.trial_pages import (
    NO_COMMANDS,
    Commands,
    TrialPage,
    failure_lines,
    trial_pages,
)
from clip_hparam.analysis.tables.conclusions import conclusion
from clip_hparam.analysis.tables.registry import tables_of
from clip_hparam.analysis.tables.systems import systems_table
from clip_hparam.analysis.tables.table import Table
from clip_hparam.design.design import merged_overrides
from clip_hparam.records.atomic import write_atomic
from clip_hparam.records.state import FINISHED

PROVENANCE_COLUMNS = ("versions.", "numerics.", "encoder.weights", "data.fingerprint")
TEMPLATE_PATH = Path(__file__).parents[1] / "data" / "report.html"


class TableCell(NamedTuple):
    text: str
    bold: bool


class SortableTable(NamedTuple):
    """A table whose columns sort on a click; a table with a title is folded."""

    title: str
    shown: list[str]
    rows: list[list[TableCell]]
    notes: list[str]


class Picture(NamedTuple):
    alt: str
    source: str  # a data URI


class Section(NamedTuple):
    """A section of the page, with the commands that reproduce its cells."""

    anchor: str
    title: str
    tables: list[SortableTable]
    figures: list[Picture]
    notes: list[str]
    commands: str
    summary: str = ""  # preformatted lines
    errors: ErrorPictures = NO_PICTURES


class ReportPage(NamedTuple):
    """The values of the template analysis/data/report.html."""

    title: str
    subtitle: str
    sentences: list[str]
    parts: list[Section]
    failures: list[str]
    trials: list[TrialPage]
    more: int  # number of trials without an entry
    provenance: list[str]


def report_page(frames: Frames, commands: Commands = NO_COMMANDS) -> ReportPage:
    """Return the content of the report.

    commands: overrides that run a trial again, by trial id; a trial without them gets its record's.
    """
    swept = output_names(frames.sweeps)
    names = [name for name in swept if ablation_of(frames, name).figure_kind != "sample"]
    done, pruned = (int((frames.trials["status"] == state).sum()) for state in FINISHED)
    trials = f"{done} of {len(frames.trials)} trials done{f', {pruned} pruned' if pruned else ''}"
    pages = trial_pages(frames, commands)
    return ReportPage(
        "clip-hparam: report",
        f"{trials}, {len(swept)} sweep{'s' * (len(swept) != 1)}.",
        [conclusion(frames, ablation_of(frames, name)) for name in names]
        or ["No sweep compares cells: the sections below describe the trials."],
        [
            *(_sweep_section(frames, name, commands) for name in names),
            *_search_sections(frames),
            *_frame_sections(frames),
        ],
        failure_lines(frames),
        pages,
        len(frames.trials) - len(pages),
        _provenance_lines(frames),
    )


def render_html(data: ReportPage) -> str:
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(TEMPLATE_PATH.read_text()).render(data._asdict())


def write_report(frames: Frames, folder: Path, commands: Commands = NO_COMMANDS) -> Path:
    """Write report.html into the folder and return its path; `commands` as for `report_page`.

    Raises:
        OSError: the folder cannot be written.
    """
    path = folder / "report.html"
    write_atomic(path, render_html(report_page(frames, commands)).encode())
    return path


def _sweep_section(frames: Frames, name: str, commands: Commands) -> Section:
    ablation = ablation_of(frames, name)
    first, *others = tables_of(frames, name)
    picture = _embed_figure(registry.plot_figure(frames, name), ablation.title)
    sortable = [_sortable_table(first), *(_folded_table(table) for table in others)]
    lines = "\n".join(_rerun_commands(frames, ablation, commands))
    errors = error_pictures(frames, ablation)
    return Section(name, ablation.title, sortable, [picture], first.notes, lines, errors=errors)


def _search_sections(frames: Frames) -> Iterator[Section]:
    """Yield a section for an imported table and for each search or sampled design."""
    if frames.imported is not None:
        title = "Results of the imported table"
        yield from _search_section("imported", title, trial_table(frames))
    anchors = {sweep.sweep_id: name for name, sweep in output_names(frames.sweeps).items()}
    for sweep in sampled_sweeps(frames):
        title = f'Results of the search "{sweep.title}"'
        yield from _search_section(anchors[sweep.sweep_id], title, trial_table(frames, sweep))


def _search_section(anchor: str, title: str, table: TrialTable) -> Iterator[Section]:
    names = registry.search_figure_names(table)
    if not names and table.ours:
        return
    shares = importance(table) if "importance" in names else {}  # once for figure and summary
    pictures = []
    for name in names:
        entry = registry.SEARCH_FIGURES[name]
        figure = plot_importance(shares) if name == "importance" else entry.plot(table)
        pictures.append(_embed_figure(figure, entry.title))
    summary = format_summary(summary_dict(table, shares), table)
    yield Section(anchor, title, [], pictures, [], "", summary)


def _frame_sections(frames: Frames) -> Iterator[Section]:
    """Yield a section for each figure of all records; published logs come with their table."""
    for name, entry in sorted(registry.FRAME_FIGURES.items()):
        if not entry.is_available(frames):
            continue
        picture = _embed_figure(entry.plot(frames), entry.title)
        tables = [systems_table(frames)] if name == "logs" else []
        notes = [note for table in tables for note in table.notes]
        sortable = [_sortable_table(table) for table in tables]
        yield Section(name, entry.title, sortable, [picture], notes, "")


def _sortable_table(table: Table) -> SortableTable:
    rows = [
        [TableCell(str(text), bool(bold)) for text, bold in zip(texts, marks, strict=True)]
        for texts, marks in zip(table.shown.to_numpy(), table.bold.to_numpy(), strict=True)
    ]
    return SortableTable("", [str(name) for name in table.shown], rows, [])


def _folded_table(table: Table) -> SortableTable:
    return _sortable_table(table)._replace(title=table.title, notes=table.notes)


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
        known = (commands[name] for name in cell.cell.trials.values() if name in commands)
        words = merged_overrides(next(known, cell.cell.overrides), [f"seed={seeds}"])
        yield shlex.join(["python", "sweep.py", "-m", *words])


def _provenance_lines(frames: Frames) -> list[str]:
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


def _value_counts(values: pd.Series) -> str:
    counts = values.dropna().astype(str).value_counts()
    return ", ".join(f"{value} ({count} trials)" for value, count in counts.items())
