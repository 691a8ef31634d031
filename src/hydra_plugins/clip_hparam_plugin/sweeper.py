"""Hydra takes plugin classes only from this namespace."""

from clip_hparam import sweeper


class AblationSweeper(sweeper.AblationSweeper):
    """See clip_hparam.sweeper."""
