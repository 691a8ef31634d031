"""Hydra takes plugin classes only from this namespace."""

from clip_hparam.cli.hydra_app import sweeper


class AblationSweeper(sweeper.AblationSweeper):
    """See clip_hparam.cli.hydra_app.sweeper."""
