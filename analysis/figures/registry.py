"""Every figure by its name: that of the sweep that it shows, or of what it shows."""

from collections.abc import Callable

from matplotlib.figure import Figure

from clip_hparam.analysis.evidence.ablations import ABLATIONS, Ablation
from clip_hparam.analysis.evidence.evidence import ablation_of
from clip_hparam.analysis.evidence.importance import importance, is_explainable
from clip_hparam.analysis.figures.forest_plot import cell_forest, factorial_forest, plot_forest
from clip_hparam.analysis.figures.heatmap import knob_heatmap, plot_heatmap
from clip_hparam.analysis.figures.knob_curve import knob_curve, plot_knob_curve
from clip_hparam.analysis.figures.ladder import ladder_panels, plot_ladder
from clip_hparam.analysis.figures.learning_curves import cell_curves, plot_cell_curves
from clip_hparam.analysis.figures.published_logs import plot_published_logs, published_log_panels
from clip_hparam.analysis.figures.search_payoff import (
    best_of_n,
    cost_front,
    plot_best_of_n,
    plot_cost_front,
    plot_importance,
)
from clip_hparam.analysis.figures.slice_parallel import (
    parallel_coordinates,
    plot_parallel_coordinates,
    plot_slices,
)
from clip_hparam.analysis.frames.frame import Frames, sampled_sweeps, trial_table
from clip_hparam.analysis.frames.manifests import newest_by_name
from clip_hparam.analysis.frames.trial_table import TrialTable

SWEEP_FIGURES: dict[str, Callable[[Frames, Ablation], Figure]] = {
    "ladder": lambda frames, _: plot_ladder(ladder_panels(frames)),
    "levels": lambda frames, ablation: plot_knob_curve(knob_curve(frames, ablation)),
    "map": lambda frames, ablation: plot_heatmap(knob_heatmap(frames, ablation)),
    "effects": lambda frames, ablation: plot_forest(cell_forest(frames, ablation)),
    "sample": lambda frames, ablation: plot_slices(
        parallel_coordinates(trial_table(frames, newest_by_name(frames.sweeps)[ablation.name]))
    ),
    "factorial": lambda frames, ablation: plot_forest(factorial_forest(frames, ablation)),
}
SEARCH_FIGURES: dict[str, Callable[[TrialTable], Figure]] = {
    "axes": lambda study: plot_slices(parallel_coordinates(study)),
    "parallel": lambda study: plot_parallel_coordinates(parallel_coordinates(study)),
    "importance": lambda study: plot_importance(importance(study)),
    "best_of_n": lambda study: plot_best_of_n(best_of_n(study)),
}
FRAME_FIGURES: dict[str, Callable[[Frames], Figure]] = {
    "curves": lambda frames: plot_cell_curves(cell_curves(frames, ABLATIONS["ladder"])),
    "logs": lambda _: plot_published_logs(published_log_panels()),
    "cost": lambda frames: plot_cost_front(cost_front(trial_table(frames))),
}


def figure_names(frames: Frames) -> list[str]:
    """What `draw` takes: every ablation, every other sweep on record, `OTHERS`, `OF_A_SEARCH`."""
    return list(
        dict.fromkeys([*ABLATIONS, *newest_by_name(frames.sweeps), *FRAME_FIGURES, *SEARCH_FIGURES])
    )


def default_figures(frames: Frames) -> list[str]:
    """What is drawn unasked: all that there are records for.

    Our designs together are no sample of a search, so without a design that is one the figures of a
    search are drawn only when asked for by name.
    """
    swept, imported = newest_by_name(frames.sweeps), frames.imported is not None
    found = trial_table(frames)
    there = {
        "curves": "ladder" in swept,
        "logs": not imported,
        "cost": not imported and len(found.scored) > 1,
    }
    shown = {name for name, is_there in there.items() if is_there}
    if imported or sampled_sweeps(frames):
        shown |= set(search_figure_names(found))
    return [name for name in figure_names(frames) if name in swept or name in shown]


def search_figure_names(study: TrialTable) -> list[str]:
    """Which figures of `OF_A_SEARCH` there are trials for."""
    if len(study.scored) < 2 or len(study.knobs) < 2:
        return []
    return [name for name in SEARCH_FIGURES if name != "importance" or is_explainable(study)]


def plot_figure(frames: Frames, name: str) -> Figure:
    """Raises NotSweptError if its records are not there yet, ValueError for too few of them."""
    if name in FRAME_FIGURES:
        return FRAME_FIGURES[name](frames)
    if name in SEARCH_FIGURES:
        return SEARCH_FIGURES[name](trial_table(frames))
    ablation = ablation_of(frames, name)
    return SWEEP_FIGURES[ablation.figure_kind](frames, ablation)
