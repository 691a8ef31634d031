"""Hydra loads plugin classes only from the package hydra_plugins."""

from clip_hparam.cli.hydra_app import sweeper


class AblationSweeper(sweeper.AblationSweeper):
    """Sweeper of clip_hparam.cli.hydra_app.sweeper, as a plugin."""
