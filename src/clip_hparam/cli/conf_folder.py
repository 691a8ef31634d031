"""The folder of the configs that this package ships."""

from pathlib import Path

CONF = Path(__file__).parent / "hydra_app" / "conf"
