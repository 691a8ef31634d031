"""Figure of the public numbers of a family's ladder, used until a ladder of the family runs."""

from matplotlib.figure import Figure

from clip_hparam.analysis.evidence.published import LADDERS
from clip_hparam.analysis.figures.ladder import (
    PAPER_COST,
    LadderPanels,
    paper_title,
    plot_ladder,
    reference_of,
)
from clip_hparam.analysis.figures.parts.rungs import NAN, Bar, Panel
from clip_hparam.analysis.figures.registry import frame_figure
from clip_hparam.analysis.frames.frame import Frames


def paper_panel(family: str) -> Panel:
    """Return the public numbers of a family's ladder without recorded trials."""
    bars = [
        Bar(row.key.replace("_", " "), row.acc1, NAN, NAN, row.v100_hours or NAN)
        for row in LADDERS[family]
    ]
    return Panel(paper_title(family), PAPER_COST, bars)


def _is_alone(frames: Frames) -> bool:
    """Return whether the family has public numbers and no recorded ladder."""
    known = frames.family in LADDERS and bool(frames.family)
    return known and not any(sweep.name == "ladder" for sweep in frames.sweeps)


@frame_figure("published_ladder", "The ladder of the paper", _is_alone)
def published_ladder_figure(frames: Frames) -> Figure:
    """Plot the public numbers of the family if no ladder of the family is on record."""
    panel = paper_panel(frames.family)
    return plot_ladder(LadderPanels(Panel("Ours", "", []), panel, reference_of(frames.family)))
