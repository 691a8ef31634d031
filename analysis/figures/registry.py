"""Register figures by name and plot them.

A figure is a module that computes its data, plots it and registers one function by a decorator of
this module. Importing the package `figures` imports all these modules.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, TypeVar

from matplotlib.figure import Figure

from clip_hparam.analysis.evidence.ablations import (
    ABLATIONS,
    FIGURE_KINDS,
    Ablation,
    ablation_of,
    split_figure_name,
)
from clip_hparam.analysis.evidence.replicates import NotSweptError, replicates
from clip_hparam.analysis.figures.parts.sweep_design import with_design
from clip_hparam.analysis.frames.frame import Frames, sampled_sweeps, trial_table
from clip_hparam.analysis.frames.manifests import output_names
from clip_hparam.analysis.frames.trial_table import TrialTable

PlotSweep = Callable[[Frames, Ablation], Figure]
PlotSearch = Callable[[TrialTable], Figure]
PlotFrames = Callable[[Frames], Figure]
Entry = TypeVar("Entry")


class SearchFigure(NamedTuple):
    """A figure of a search; `title` is its description in the report."""

    title: str
    plot: PlotSearch
    is_available: Callable[[TrialTable], bool]


class FrameFigure(NamedTuple):
    """A figure of all records or of published data; `title` is its heading in the report."""

    title: str
    plot: PlotFrames
    is_available: Callable[[Frames], bool]


class KindFigure(NamedTuple):
    """A figure that any sweep may have, drawn on demand: `figures KIND NAME`."""

    title: str
    plot: PlotSweep


KIND_FIGURES: dict[str, KindFigure] = {}  # by the names in `FIGURE_KINDS`
SWEEP_FIGURES: dict[str, PlotSweep] = {}  # by Ablation.figure_kind
SEARCH_FIGURES: dict[str, SearchFigure] = {}
FRAME_FIGURES: dict[str, FrameFigure] = {}
NOTHING_DONE = "no trial of {} is done: there is nothing to plot yet"


def sweep_figure(kind: str) -> Callable[[PlotSweep], PlotSweep]:
    """Register the figure of every sweep whose `Ablation.figure_kind` is `kind`."""

    def register(plot: PlotSweep) -> PlotSweep:
        _add(SWEEP_FIGURES, kind, plot)
        return plot

    return register


def kind_figure(kind: str, title: str) -> Callable[[PlotSweep], PlotSweep]:
    """Register a figure that is drawn of any sweep by the name of the kind.

    The function raises ValueError for a sweep that has no such figure.
    """

    def register(plot: PlotSweep) -> PlotSweep:
        _add(KIND_FIGURES, kind, KindFigure(title, plot))
        return plot

    return register


def search_figure(
    name: str, title: str, is_available: Callable[[TrialTable], bool] = lambda _: True
) -> Callable[[PlotSearch], PlotSearch]:
    """Register a figure of a search or an imported table under `name`."""

    def register(plot: PlotSearch) -> PlotSearch:
        _add(SEARCH_FIGURES, name, SearchFigure(title, plot, is_available))
        return plot

    return register


def frame_figure(
    name: str, title: str, is_available: Callable[[Frames], bool]
) -> Callable[[PlotFrames], PlotFrames]:
    """Register a figure of all records, or of published data, under `name`."""

    def register(plot: PlotFrames) -> PlotFrames:
        _add(FRAME_FIGURES, name, FrameFigure(title, plot, is_available))
        return plot

    return register


def figure_names(frames: Frames) -> list[str]:
    """Return the names of all figures: of ablations, of recorded sweeps, and registered names."""
    registered = [*sorted(FRAME_FIGURES), *sorted(SEARCH_FIGURES)]
    return list(dict.fromkeys([*ABLATIONS, *output_names(frames.sweeps), *registered]))


def default_figures(frames: Frames) -> list[str]:
    """Return the names of the figures that the records suffice for.

    The figures of a search need a search, a sampled design or an imported table.
    """
    swept = {name for name in output_names(frames.sweeps) if has_sweep_figure(frames, name)}
    available = {name for name, entry in FRAME_FIGURES.items() if entry.is_available(frames)}
    if frames.imported is not None or sampled_sweeps(frames):
        available |= set(search_figure_names(trial_table(frames)))
    return [name for name in figure_names(frames) if name in swept or name in available]


def has_sweep_figure(frames: Frames, name: str) -> bool:
    """Return whether the cells of a sweep have a figure: not those of an import without seeds."""
    ablation = ablation_of(frames, name)
    return not (ablation.imported and ablation.figure_kind == "sample")


def search_figure_names(table: TrialTable) -> list[str]:
    """Return the names of the search figures that the table has enough trials and knobs for."""
    if len(table.scored) < 2 or (table.ours and len(table.knobs) < 2):
        return []
    return sorted(name for name, entry in SEARCH_FIGURES.items() if entry.is_available(table))


def plot_figure(frames: Frames, name: str) -> Figure:
    """Plot the figure called `name`.

    Raises:
        NotSweptError: the sweep has no record yet, or none of its trials is done.
        ValueError: the records do not suffice for the figure.
    """
    sweep_name, kind = split_figure_name(name, output_names(frames.sweeps))
    if kind:
        return _plot_kind(frames, sweep_name, kind)
    if name in FRAME_FIGURES:
        return FRAME_FIGURES[name].plot(frames)
    if name in SEARCH_FIGURES:
        return SEARCH_FIGURES[name].plot(trial_table(frames))
    return _plot_sweep(frames, name)


def _plot_sweep(frames: Frames, name: str) -> Figure:
    ablation = with_design(frames, ablation_of(frames, name))
    if not ablation.paper and not _has_values(frames, ablation):
        raise NotSweptError(NOTHING_DONE.format(name))
    return SWEEP_FIGURES[ablation.figure_kind](frames, ablation)


def available_kinds(frames: Frames, name: str) -> list[str]:
    """Return the kinds of figures that the records of a sweep suffice for, by plotting them."""
    kinds = []
    for kind in FIGURE_KINDS:
        with suppress(ValueError):
            _plot_kind(frames, name, kind)
            kinds.append(kind)
    return kinds


def _plot_kind(frames: Frames, name: str, kind: str) -> Figure:
    ablation = with_design(frames, ablation_of(frames, name))
    if not _has_values(frames, ablation):
        raise ValueError(NOTHING_DONE.format(name))
    return KIND_FIGURES[kind].plot(frames, ablation)


def _has_values(frames: Frames, ablation: Ablation) -> bool:
    return any(cell.values.notna().any() for cell in replicates(frames, ablation))


def _add(registry: dict[str, Entry], name: str, entry: Entry) -> None:
    if name in registry:
        raise ValueError(f"figure {name} is registered twice: give one of the two another name")
    registry[name] = entry
