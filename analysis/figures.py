"""Every figure by its name: that of the sweep that it shows, or of what it shows."""

from collections.abc import Callable

from matplotlib.figure import Figure

from analysis.ablations import ABLATIONS, Ablation
from analysis.axes import draw_axes, draw_parallel, search
from analysis.curves import cell_curves, draw_cells
from analysis.effects import forest
from analysis.evidence import ablation_of
from analysis.forest import cell_effects, draw_effects
from analysis.frame import Frames, sampled, study_of
from analysis.heat import draw_map, knob_map
from analysis.importance import explainable, importance
from analysis.ladder import draw_ladder, ladder_figure
from analysis.levels import draw_knob, knob_curve
from analysis.logs import draw_logs, logs_figure
from analysis.payoff import best_of_n, costs, draw_best_of_n, draw_costs, draw_importance
from analysis.sweeps import newest

DRAWN: dict[str, Callable[[Frames, Ablation], Figure]] = {
    "ladder": lambda frames, _: draw_ladder(ladder_figure(frames)),
    "levels": lambda frames, ablation: draw_knob(knob_curve(frames, ablation)),
    "map": lambda frames, ablation: draw_map(knob_map(frames, ablation)),
    "effects": lambda frames, ablation: draw_effects(cell_effects(frames, ablation)),
    "sample": lambda frames, _: draw_axes(search(study_of(frames))),
    "factorial": lambda frames, ablation: draw_effects(forest(frames, ablation)),
}
OTHERS: dict[str, Callable[[Frames], Figure]] = {
    "curves": lambda frames: draw_cells(cell_curves(frames, ABLATIONS["ladder"])),
    "logs": lambda _: draw_logs(logs_figure()),
    "axes": lambda frames: draw_axes(search(study_of(frames))),
    "parallel": lambda frames: draw_parallel(search(study_of(frames))),
    "importance": lambda frames: draw_importance(importance(study_of(frames))),
    "best_of_n": lambda frames: draw_best_of_n(best_of_n(study_of(frames))),
    "cost": lambda frames: draw_costs(costs(study_of(frames))),
}


def names(frames: Frames) -> list[str]:
    """What `draw` takes: every ablation, every other sweep on record, and `OTHERS`."""
    return list(dict.fromkeys([*ABLATIONS, *newest(frames.sweeps), *OTHERS]))


def drawable(frames: Frames) -> list[str]:
    """What is drawn unasked: all that there are records for.

    Our designs together are no sample of a search, so without a design that is one the figures of a
    search are drawn only when asked for by name.
    """
    swept, study = newest(frames.sweeps), frames.study
    found = study_of(frames)
    a_search = study is not None or bool(sampled(frames))
    searched = a_search and len(found.scored) > 1 and len(found.knobs) > 1
    there = {
        "curves": "ladder" in swept,
        "logs": study is None,
        "axes": searched,
        "parallel": searched,
        "importance": searched and explainable(found),
        "best_of_n": searched,
        "cost": study is None and len(found.scored) > 1,
    }
    return [name for name in names(frames) if name in swept or there.get(name, False)]


def draw(frames: Frames, name: str) -> Figure:
    """Raises NotSweptError if its records are not there yet, ValueError for too few of them."""
    if name in OTHERS:
        return OTHERS[name](frames)
    ablation = ablation_of(frames, name)
    return DRAWN[ablation.drawn](frames, ablation)
