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
from clip_hparam.analysis.evidence.summary import as_json, text
from clip_hparam.analysis.figures import registry, style
from clip_hparam.analysis.figures.search_payoff import draw_importance
from clip_hparam.analysis.frames.frame import Frames, sampled, study_of
from clip_hparam.analysis.frames.manifests import newest
from clip_hparam.analysis.frames.trial_table import Study
from clip_hparam.analysis.report.trial_pages import TrialPage, failures, trial_pages
from clip_hparam.analysis.tables.conclusions import verdict
from clip_hparam.analysis.tables.registry import tables_of
from clip_hparam.analysis.tables.systems import systems_table
from clip_hparam.analysis.tables.table import Table
from clip_hparam.records.atomic import write_atomic

STATED = ("versions.", "numerics.", "encoder.weights", "data.fingerprint")
TEMPLATE = Path(__file__).parents[1] / "data" / "report.html"
SEARCH = {
    "axes": "Each knob alone",
    "parallel": "All knobs at once",
    "best_of_n": "Expected best of n trials",
    "importance": "Importance of the knobs",
}
BESIDES = {
    "cost": "Accuracy against cost",
    "curves": "Training curves",
    "logs": "ImageNet-1k top-1 accuracy, %: published systems and logs",
}


class Cell(NamedTuple):
    text: str
    bold: bool


class Sortable(NamedTuple):
    """A table; one with a title is folded."""

    title: str
    shown: list[str]
    rows: list[list[Cell]]
    notes: list[str]


class Picture(NamedTuple):
    alt: str
    source: str  # a data URI


class Part(NamedTuple):
    """A section of the page."""

    anchor: str
    title: str
    tables: list[Sortable]
    figures: list[Picture]
    notes: list[str]
    commands: str
    said: str = ""  # lines that stand as they are


class Page(NamedTuple):
    """All that the template shows."""

    title: str
    subtitle: str
    sentences: list[str]
    parts: list[Part]
    failures: list[str]
    trials: list[TrialPage]
    more: int  # trials without a page
    provenance: list[str]


def page(frames: Frames) -> Page:
    swept = newest(frames.sweeps)
    names = [name for name in swept if ablation_of(frames, name).drawn != "sample"]
    done, pruned = (int((frames.trials["status"] == state).sum()) for state in ("done", "pruned"))
    trials = f"{done} of {len(frames.trials)} trials done{f', {pruned} pruned' if pruned else ''}"
    pages = trial_pages(frames)
    return Page(
        "clip-hparam: report",
        f"{trials}, {len(swept)} sweep{'s' * (len(swept) != 1)}.",
        [verdict(frames, ablation_of(frames, name)) for name in names]
        or ["No cells are compared: what follows describes the trials."],
        [*(_sweep(frames, name) for name in names), *_searches(frames), *_besides(frames)],
        failures(frames),
        pages,
        len(frames.trials) - len(pages),
        _provenance(frames),
    )


def render(data: Page) -> str:
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(TEMPLATE.read_text()).render(data._asdict())


def write(frames: Frames, folder: Path) -> Path:
    """results/report.html, replaced whole. Raises OSError."""
    path = folder / "report.html"
    write_atomic(path, render(page(frames)).encode())
    return path


def _sweep(frames: Frames, name: str) -> Part:
    ablation = ablation_of(frames, name)
    first, *others = tables_of(frames, name)
    drawn = _picture(registry.draw(frames, name), ablation.title)
    sortable = [_sortable(first), *(_folded(one) for one in others)]
    commands = "\n".join(_commands(frames, ablation))
    return Part(name, ablation.title, sortable, [drawn], first.notes, commands)


def _searches(frames: Frames) -> Iterator[Part]:
    """Of an imported table, and of each search or sampled design: knobs, importance, best of n."""
    if frames.study is not None:
        yield from _search("imported", "What the imported table shows", frames.study)
    for sweep in sampled(frames):
        title = f"What the search {sweep.name} found"
        yield from _search(sweep.name, title, study_of(frames, sweep))


def _search(anchor: str, title: str, study: Study) -> Iterator[Part]:
    names = registry.of_a_search(study)
    if not names:
        return
    found = importance(study) if "importance" in names else {}
    pictures = {
        name: draw_importance(found) if name == "importance" else registry.OF_A_SEARCH[name](study)
        for name in names
    }
    drawn = [_picture(pictures[name], SEARCH[name]) for name in SEARCH if name in pictures]
    yield Part(anchor, title, [], drawn, [], "", text(as_json(study, found), study))


def _besides(frames: Frames) -> Iterator[Part]:
    published = systems_table(frames)
    for name, title in BESIDES.items():
        if name in registry.drawable(frames):
            drawn = _picture(registry.draw(frames, name), title)
            beside = [published] if name == "logs" else []
            notes = [note for one in beside for note in one.notes]
            yield Part(name, title, [_sortable(one) for one in beside], [drawn], notes, "")


def _sortable(made: Table) -> Sortable:
    rows = zip(made.shown.to_numpy().tolist(), made.bold.to_numpy().tolist(), strict=True)
    return Sortable(
        "",
        [str(name) for name in made.shown],
        [[Cell(str(cell), bool(bold)) for cell, bold in zip(*row, strict=True)] for row in rows],
        [],
    )


def _folded(made: Table) -> Sortable:
    return _sortable(made)._replace(title=made.title, notes=made.notes)


def _picture(drawn: Figure, title: str) -> Picture:
    """An SVG in a data URI: its ids cannot meet those of another, and text is drawn as paths."""
    content = BytesIO()
    with style.in_style({"svg.fonttype": "path", "svg.hashsalt": title}):
        drawn.savefig(content, format="svg", metadata={"Date": None})
    coded = base64.b64encode(content.getvalue()).decode()
    return Picture(title, f"data:image/svg+xml;base64,{coded}")


def _commands(frames: Frames, ablation: Ablation) -> Iterator[str]:
    for cell in replicates(frames, ablation):
        seeds = ",".join(str(seed) for seed in cell.cell.trials)
        yield shlex.join(["python", "sweep.py", "-m", *cell.cell.overrides, f"seed={seeds}"])


def _provenance(frames: Frames) -> list[str]:
    done = frames.trials[frames.trials["status"] == "done"]
    names = [str(name) for name in done if str(name).startswith(STATED)]
    counted = [f"{name}: {_counts(done[name])}" for name in names]
    return [
        f"Code: {code_state(frames.trials)}",
        *counted,
        *(f"Not used: {p}" for p in frames.problems),
    ]


def _counts(values: pd.Series) -> str:
    counts = values.astype(str).value_counts()
    return ", ".join(f"{value} ({count} trials)" for value, count in counts.items())
