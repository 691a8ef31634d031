"""One self-contained HTML page: conclusions, linked charts, tables and the commands of all trials.

The page needs no network and opens from file://. The template, the style and the scripts are files
of analysis/data; the charts are drawn by Apache ECharts, a copy of which is in the page. All text
from records is escaped in HTML, and inserted as text by the scripts.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, StrictUndefined

from clip_hparam.analysis.evidence.ablations import ablation_of
from clip_hparam.analysis.evidence.searches.importance import (
    Importance,
    importance,
    is_explainable,
)
from clip_hparam.analysis.evidence.searches.replicate_means import PointTable, point_table
from clip_hparam.analysis.evidence.studies.study import study_evidence, study_names
from clip_hparam.analysis.figures.registry import search_figure_names
from clip_hparam.analysis.frames.frame import Frames, sampled_sweeps, trial_table
from clip_hparam.analysis.frames.manifests import SweepManifest, output_names
from clip_hparam.analysis.frames.trial_table import TrialTable
from clip_hparam.analysis.report.failures import failure_lines
from clip_hparam.analysis.report.page.assets import LIBRARY, read_assets
from clip_hparam.analysis.report.page.cached_results import call_cached
from clip_hparam.analysis.report.page.curves import curves_json
from clip_hparam.analysis.report.page.json_values import script_json
from clip_hparam.analysis.report.page.searches import search_json
from clip_hparam.analysis.report.page.sweeps import sweep_json
from clip_hparam.analysis.report.page.trials import (
    NO_COMMANDS,
    Commands,
    shown_trials,
    trials_json,
)
from clip_hparam.analysis.report.sections import (
    Section,
    frame_sections,
    provenance_lines,
    search_section,
    sweep_section,
)
from clip_hparam.analysis.report.study_page import StudyCard, study_card
from clip_hparam.config.text.count import counted
from clip_hparam.records.atomic import write_atomic
from clip_hparam.records.state import FINISHED


class ReportPage(NamedTuple):
    """The values of the template analysis/data/page/page.html.

    data: what the scripts draw: trials, curves, sweeps, searches (docs/report.md).
    """

    title: str
    subtitle: str
    studies: list[StudyCard]
    sentences: list[str]
    parts: list[Section]
    failures: list[str]
    provenance: list[str]
    library: str
    data: dict[str, Any]


class Search(NamedTuple):
    """A search, a sampled design (sweep) or an imported table (no sweep), with importance."""

    anchor: str
    title: str
    sweep: SweepManifest | None
    table: TrialTable
    points: PointTable
    shares: Importance


def report_page(frames: Frames, commands: Commands = NO_COMMANDS) -> ReportPage:
    """Return the content of the report.

    commands: overrides that run a trial again, by trial id; a trial without them gets its record's.
    """
    swept = output_names(frames.sweeps)
    found = [ablation_of(frames, name) for name in swept]
    ablations = [ablation for ablation in found if ablation.figure_kind != "sample"]
    sweeps = [sweep_json(frames, ablation) for ablation in ablations]
    searches = list(_searches(frames))
    done, pruned = (int((frames.trials["status"] == state).sum()) for state in FINISHED)
    ended = f", {pruned:,} pruned" if pruned else ""
    trials = f"{done:,} of {counted(len(frames.trials), 'trial')} done{ended}"
    rows = shown_trials(frames)
    return ReportPage(
        "clip-hparam: report",
        f"{trials}, {counted(len(swept), 'sweep')}.",
        [study_card(study_evidence(frames, name)) for name in study_names(frames)],
        [sweep["sentence"] for sweep in sweeps]
        or ["No sweep compares cells: the sections below describe the trials."],
        [
            *(sweep_section(frames, ablation, commands) for ablation in ablations),
            *(search_section(s.anchor, s.title, s.points, s.shares) for s in searches),
            *frame_sections(frames),
        ],
        failure_lines(frames),
        provenance_lines(frames),
        LIBRARY,
        {
            "trials": trials_json(frames, rows, commands),
            "curves": curves_json(frames.epochs, rows),
            "sweeps": sweeps,
            "searches": [
                search_json(s.anchor, s.title, s.table, s.shares, frames, s.sweep) for s in searches
            ],
        },
    )


def render_html(data: ReportPage, live: bool = False) -> str:
    """Return the page. live: the page polls its server for changes."""
    assets = read_assets()
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters["counted"] = counted
    values = data._asdict() | {
        "data": script_json(data.data),
        "data_sweeps": data.data["sweeps"],
        "assets": assets,
        "live": live,
    }
    return environment.from_string(assets.template).render(values)


def write_report(frames: Frames, folder: Path, commands: Commands = NO_COMMANDS) -> Path:
    """Write report.html into the folder and return its path; `commands` as for `report_page`.

    Raises:
        OSError: the folder cannot be written.
    """
    path = folder / "report.html"
    write_atomic(path, render_html(report_page(frames, commands)).encode())
    return path


def _searches(frames: Frames) -> Iterator[Search]:
    """Yield the imported table and each search or sampled design that has enough trials."""
    if frames.imported is not None:
        yield from _search(frames, "imported", "Results of the imported table", None)
    anchors = {sweep.sweep_id: name for name, sweep in output_names(frames.sweeps).items()}
    for sweep in sampled_sweeps(frames):
        title = f'Results of the search "{sweep.title}"'
        yield from _search(frames, anchors[sweep.sweep_id], title, sweep)


def _search(
    frames: Frames, anchor: str, title: str, sweep: SweepManifest | None
) -> Iterator[Search]:
    table = trial_table(frames, sweep)
    if search_figure_names(table) or not table.ours:
        points = point_table(frames, sweep)
        known = is_explainable(points.points)
        shares = call_cached(importance, points.points) if known else {}
        yield Search(anchor, title, sweep, table, points, shares)
