"""Arguments that differ between Hydra 1.3 and Hydra 1.4.

Hydra 1.3 needs `version_base`, without which it warns; 1.4 warns if it is given, and 1.5 drops it.
Hydra 1.4 has `replace`, without which it warns if a config is stored twice in one process.
"""

from typing import Any

import hydra
from hydra import initialize_config_module

CONF_MODULE = "clip_hparam.cli.hydra_app.conf"
IS_1_3 = hydra.__version__.startswith("1.3.")
VERSION_BASE: dict[str, Any] = {"version_base": "1.3"} if IS_1_3 else {}
REPLACE: dict[str, Any] = {} if IS_1_3 else {"replace": True}


def initialize_conf() -> initialize_config_module:
    """Return the context in which `hydra.compose` reads the configs of this package."""
    return initialize_config_module(CONF_MODULE, **VERSION_BASE)
