"""One self-contained HTML page: what the evidence supports, and the way back to every run.

Needs no network and opens from file://. Everything that comes from records is escaped.
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

from clip_hparam.analysis.evidence.ablations import Ablation
from clip_hparam.analysis.evidence.evidence import ablation_of, replicates
from clip_hparam.analysis.evidence.importance import importance
from clip_hparam.analysis.evidence.provenance import code_state
from clip_hparam.analysis.evidence.summary import format_summary, summary_dict
from clip_hparam.analysis.figures import registry, style
from clip_hparam.analysis.figures.search_payoff import plot_importance
from clip_hparam.analysis.frames.frame import Frames, sampled_sweeps, trial_table
from clip_hparam.analysis.frames.manifests import newest_by_name
from clip_hparam.analysis.frames.trial_table import TrialTable
from clip_hparam.analysis.report.trial_pages import TrialPage, failure_lines, trial_pages
from clip_hparam.analysis.tables.conclusions import conclusion
from clip_hparam.analysis.tables.registry import tables_of
from clip_hparam.analysis.tables.systems import systems_table
from clip_hparam.analysis.tables.table import Table
from clip_hparam.records.atomic import write_atomic

PROVENANCE_COLUMNS = ("versions.", "numerics.", "encoder.weights", "data.fingerprint")
TEMPLATE_PATH = Path(__file__).parents[1] / "data" / "report.html"
SEARCH_FIGURE_TITLES = {
    "axes": "Each knob alone",
    "parallel": "All knobs at once",
    "best_of_n": "Expected best of n trials",
    "importance": "Importance of the knobs",
}
FRAME_FIGURE_TITLES = {
    "cost": "Accuracy against cost",
    "curves": "Training curves",
    "logs": "ImageNet-1k top-1 accuracy, %: published systems and logs",
}


class TableCell(NamedTuple):
    text: str
    bold: bool


class SortableTable(NamedTuple):
    """A table; one with a title is folded."""

    title: str
    shown: list[str]
    rows: list[list[TableCell]]
    notes: list[str]


class Picture(NamedTuple):
    alt: str
    source: str  # a data URI


class Section(NamedTuple):
    """A section of the page."""

    anchor: str
    title: str
    tables: list[SortableTable]
    figures: list[Picture]
    notes: list[str]
    commands: str
    summary: str = ""  # lines that stand as they are


class ReportPage(NamedTuple):
    """All that the template shows."""

    title: str
    subtitle: str
    sentences: list[str]
    parts: list[Section]
    failures: list[str]
    trials: list[TrialPage]
    more: int  # trials without a page
    provenance: list[str]


def report_page(frames: Frames) -> ReportPage:
    swept = newest_by_name(frames.sweeps)
    names = [name for name in swept if ablation_of(frames, name).figure_kind != "sample"]
    done, pruned = (int((frames.trials["status"] == state).sum()) for state in ("done", "pruned"))
    trials = f"{done} of {len(frames.trials)} trials done{f', {pruned} pruned' if pruned else ''}"
    pages = trial_pages(frames)
    return ReportPage(
        "clip-hparam: report",
        f"{trials}, {len(swept)} sweep{'s' * (len(swept) != 1)}.",
        [conclusion(frames, ablation_of(frames, name)) for name in names]
        or ["No cells are compared: what follows describes the trials."],
        [
            *(_sweep_section(frames, name) for name in names),
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


def write_report(frames: Frames, folder: Path) -> Path:
    """results/report.html, replaced whole. Raises OSError."""
    path = folder / "report.html"
    write_atomic(path, render_html(report_page(frames)).encode())
    return path


def _sweep_section(frames: Frames, name: str) -> Section:
    ablation = ablation_of(frames, name)
    first, *others = tables_of(frames, name)
    drawn = _embed_figure(registry.plot_figure(frames, name), ablation.title)
    sortable = [_sortable_table(first), *(_folded_table(one) for one in others)]
    commands = "\n".join(_rerun_commands(frames, ablation))
    return Section(name, ablation.title, sortable, [drawn], first.notes, commands)


def _search_sections(frames: Frames) -> Iterator[Section]:
    """Of an imported table, and of each search or sampled design: knobs, importance, best of n."""
    if frames.imported is not None:
        yield from _search_section("imported", "What the imported table shows", frames.imported)
    for sweep in sampled_sweeps(frames):
        title = f"What the search {sweep.name} found"
        yield from _search_section(sweep.name, title, trial_table(frames, sweep))


def _search_section(anchor: str, title: str, study: TrialTable) -> Iterator[Section]:
    names = registry.search_figure_names(study)
    if not names:
        return
    found = importance(study) if "importance" in names else {}
    pictures = {
        name: plot_importance(found)
        if name == "importance"
        else registry.SEARCH_FIGURES[name](study)
        for name in names
    }
    drawn = [
        _embed_figure(pictures[name], SEARCH_FIGURE_TITLES[name])
        for name in SEARCH_FIGURE_TITLES
        if name in pictures
    ]
    yield Section(
        anchor, title, [], drawn, [], "", format_summary(summary_dict(study, found), study)
    )


def _frame_sections(frames: Frames) -> Iterator[Section]:
    published = systems_table(frames)
    for name, title in FRAME_FIGURE_TITLES.items():
        if name in registry.default_figures(frames):
            drawn = _embed_figure(registry.plot_figure(frames, name), title)
            beside = [published] if name == "logs" else []
            notes = [note for one in beside for note in one.notes]
            yield Section(name, title, [_sortable_table(one) for one in beside], [drawn], notes, "")


def _sortable_table(made: Table) -> SortableTable:
    rows = zip(made.shown.to_numpy().tolist(), made.bold.to_numpy().tolist(), strict=True)
    return SortableTable(
        "",
        [str(name) for name in made.shown],
        [
            [TableCell(str(cell), bool(bold)) for cell, bold in zip(*row, strict=True)]
            for row in rows
        ],
        [],
    )


def _folded_table(made: Table) -> SortableTable:
    return _sortable_table(made)._replace(title=made.title, notes=made.notes)


def _embed_figure(drawn: Figure, title: str) -> Picture:
    """An SVG in a data URI: its ids cannot meet those of another, and text is drawn as paths."""
    content = BytesIO()
    with style.house_style({"svg.fonttype": "path", "svg.hashsalt": title}):
        drawn.savefig(content, format="svg", metadata={"Date": None})
    coded = base64.b64encode(content.getvalue()).decode()
    return Picture(title, f"data:image/svg+xml;base64,{coded}")


def _rerun_commands(frames: Frames, ablation: Ablation) -> Iterator[str]:
    for cell in replicates(frames, ablation):
        seeds = ",".join(str(seed) for seed in cell.cell.trials)
        yield shlex.join(["python", "sweep.py", "-m", *cell.cell.overrides, f"seed={seeds}"])


def _provenance_lines(frames: Frames) -> list[str]:
    done = frames.trials[frames.trials["status"] == "done"]
    names = [str(name) for name in done if str(name).startswith(PROVENANCE_COLUMNS)]
    counted = [f"{name}: {_value_counts(done[name])}" for name in names]
    return [
        f"Code: {code_state(frames.trials)}",
        *counted,
        *(f"Not used: {p}" for p in frames.problems),
    ]


def _value_counts(values: pd.Series) -> str:
    counts = values.astype(str).value_counts()
    return ", ".join(f"{value} ({count} trials)" for value, count in counts.items())
