"""Every figure by its name: that of the sweep that it shows, or of what it shows."""

from collections.abc import Callable

from matplotlib.figure import Figure

from clip_hparam.analysis.evidence.ablations import ABLATIONS, Ablation
from clip_hparam.analysis.evidence.evidence import ablation_of
from clip_hparam.analysis.evidence.importance import explainable, importance
from clip_hparam.analysis.figures.forest_plot import cell_effects, draw_effects
from clip_hparam.analysis.figures.heatmap import draw_map, knob_map
from clip_hparam.analysis.figures.knob_curve import draw_knob, knob_curve
from clip_hparam.analysis.figures.ladder import draw_ladder, ladder_figure
from clip_hparam.analysis.figures.learning_curves import cell_curves, draw_cells
from clip_hparam.analysis.figures.published_logs import draw_logs, logs_figure
from clip_hparam.analysis.figures.search_payoff import (
    best_of_n,
    costs,
    draw_best_of_n,
    draw_costs,
    draw_importance,
)
from clip_hparam.analysis.figures.slice_parallel import draw_axes, draw_parallel, search
from clip_hparam.analysis.frames.frame import Frames, sampled, study_of
from clip_hparam.analysis.frames.manifests import newest
from clip_hparam.analysis.frames.trial_table import Study
from clip_hparam.analysis.tables.effects import forest

DRAWN: dict[str, Callable[[Frames, Ablation], Figure]] = {
    "ladder": lambda frames, _: draw_ladder(ladder_figure(frames)),
    "levels": lambda frames, ablation: draw_knob(knob_curve(frames, ablation)),
    "map": lambda frames, ablation: draw_map(knob_map(frames, ablation)),
    "effects": lambda frames, ablation: draw_effects(cell_effects(frames, ablation)),
    "sample": lambda frames, ablation: draw_axes(
        search(study_of(frames, newest(frames.sweeps)[ablation.name]))
    ),
    "factorial": lambda frames, ablation: draw_effects(forest(frames, ablation)),
}
OF_A_SEARCH: dict[str, Callable[[Study], Figure]] = {
    "axes": lambda study: draw_axes(search(study)),
    "parallel": lambda study: draw_parallel(search(study)),
    "importance": lambda study: draw_importance(importance(study)),
    "best_of_n": lambda study: draw_best_of_n(best_of_n(study)),
}
OTHERS: dict[str, Callable[[Frames], Figure]] = {
    "curves": lambda frames: draw_cells(cell_curves(frames, ABLATIONS["ladder"])),
    "logs": lambda _: draw_logs(logs_figure()),
    "cost": lambda frames: draw_costs(costs(study_of(frames))),
}


def names(frames: Frames) -> list[str]:
    """What `draw` takes: every ablation, every other sweep on record, `OTHERS`, `OF_A_SEARCH`."""
    return list(dict.fromkeys([*ABLATIONS, *newest(frames.sweeps), *OTHERS, *OF_A_SEARCH]))


def drawable(frames: Frames) -> list[str]:
    """What is drawn unasked: all that there are records for.

    Our designs together are no sample of a search, so without a design that is one the figures of a
    search are drawn only when asked for by name.
    """
    swept, imported = newest(frames.sweeps), frames.study is not None
    found = study_of(frames)
    there = {
        "curves": "ladder" in swept,
        "logs": not imported,
        "cost": not imported and len(found.scored) > 1,
    }
    shown = {name for name, is_there in there.items() if is_there}
    if imported or sampled(frames):
        shown |= set(of_a_search(found))
    return [name for name in names(frames) if name in swept or name in shown]


def of_a_search(study: Study) -> list[str]:
    """Which figures of `OF_A_SEARCH` there are trials for."""
    if len(study.scored) < 2 or len(study.knobs) < 2:
        return []
    return [name for name in OF_A_SEARCH if name != "importance" or explainable(study)]


def draw(frames: Frames, name: str) -> Figure:
    """Raises NotSweptError if its records are not there yet, ValueError for too few of them."""
    if name in OTHERS:
        return OTHERS[name](frames)
    if name in OF_A_SEARCH:
        return OF_A_SEARCH[name](study_of(frames))
    ablation = ablation_of(frames, name)
    return DRAWN[ablation.drawn](frames, ablation)
