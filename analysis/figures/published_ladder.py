"""The public numbers of a family's ladder, as long as no ladder of ours stands beside them."""

from matplotlib.figure import Figure

from clip_hparam.analysis.evidence.published import LADDERS
from clip_hparam.analysis.figures import style
from clip_hparam.analysis.figures.ladder import (
    NAN,
    PAPER_COST,
    Bar,
    Panel,
    paper_title,
    plot_paper_panel,
    reference_of,
)
from clip_hparam.analysis.figures.registry import frame_figure
from clip_hparam.analysis.frames.frame import Frames


def paper_panel(family: str) -> Panel:
    """Return the public numbers of a family's ladder without records of ours."""
    bars = [
        Bar(row.key.replace("_", " "), row.acc1, NAN, NAN, row.v100_hours or NAN)
        for row in LADDERS[family]
    ]
    return Panel(paper_title(family), PAPER_COST, bars)


def _is_alone(frames: Frames) -> bool:
    """Return whether the family has public numbers and no ladder of ours beside them."""
    known = frames.family in LADDERS and bool(frames.family)
    return known and not any(sweep.name == "ladder" for sweep in frames.sweeps)


@frame_figure("published_ladder", "The ladder of the paper", _is_alone)
def published_ladder_figure(frames: Frames) -> Figure:
    """Plot the public numbers of the family, as long as no ladder of ours is on record."""
    figure = style.create_figure(style.COLUMN_INCHES, 3.2)
    with style.house_style():
        panel = paper_panel(frames.family)
        plot_paper_panel(figure.subplots(), panel, reference_of(frames.family))
    return figure
