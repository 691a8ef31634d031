"""An open dot per trial, for figures that show all trials of a search or sweep."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from clip_hparam.analysis.figures import style


def plot_trials(
    axes: Axes, x: Sequence[float], y: Sequence[float], colour: str = style.SEED_COLOUR
) -> None:
    """Plot an open dot per trial; many of them are pixels in a vector file."""
    axes.plot(
        x,
        y,
        "o",
        markersize=style.points(3),
        markerfacecolor="none",
        markeredgecolor=colour,
        markeredgewidth=style.points(0.6),
        rasterized=style.should_rasterize(len(x)),
        label="trial",
    )
