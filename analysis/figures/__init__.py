"""Figures of sweeps, searches and published data; importing the package registers all of them."""

from clip_hparam.analysis.figures import (
    forest_plot,
    heatmap,
    knob_curve,
    ladder,
    learning_curves,
    progress,
    published_ladder,
    published_logs,
    search_payoff,
    slice_parallel,
)

__all__ = [
    "forest_plot",
    "heatmap",
    "knob_curve",
    "ladder",
    "learning_curves",
    "progress",
    "published_ladder",
    "published_logs",
    "search_payoff",
    "slice_parallel",
]
