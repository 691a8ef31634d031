"""The composed value of each key, and the files of values that can be chosen.

Imports only what a composition needs, because `--help` waits for it.
"""

from collections.abc import Sequence
from typing import Any

from hydra import compose
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType

from clip_hparam.cli.hydra_app.families import exists_in_loader, with_default_recipe
from clip_hparam.cli.hydra_app.hydra_version import initialize_conf
from clip_hparam.cli.hydra_app.schema import config_tree, register_configs
from clip_hparam.config.tree import flatten_tree

CHOSEN_BY_NAME = ("data", "encoder", "family", "machine")
"""Config groups whose options are files of values, apart from sweeps and recipes."""


def composed_values(words: Sequence[str] = ()) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Return the composed value of each key, and the options of the config groups.

    words: overrides; keys that they leave out have their default.

    Raises:
        HydraException, OmegaConfBaseException: an override that cannot be composed.
    """
    register_configs()
    with initialize_conf():
        loader: ConfigLoader = GlobalHydra.instance().config_loader()
        named = with_default_recipe(words, exists_in_loader(loader))
        values = flatten_tree(config_tree(compose("config", named)))
        options = {
            group: loader.get_group_options(group, ObjectType.CONFIG) for group in CHOSEN_BY_NAME
        }
    return values, options
