"""Figures of the trials of a sweep in their order, and of its cells by their cost."""

from clip_hparam.analysis.figures.progress import history, pareto

__all__ = ["history", "pareto"]
