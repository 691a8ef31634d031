"""Entry points: how an installed package adds data sets, encoders and trackers.

    [project.entry-points."clip_hparam.datasets"]
    flowers = "my_package.flowers:SPEC"

The name is the one to type (`data=flowers`); the object is what the registry of the group holds.
Only installed packages are asked, never a path or a `_target_` in a config file.
"""

import logging
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

DATASET_GROUP, ENCODER_GROUP = "clip_hparam.datasets", "clip_hparam.encoders"
TRACKER_GROUP = "clip_hparam.trackers"
logger = logging.getLogger(__name__)


def entry_point_names(group: str) -> list[str]:
    """Return the names of a group, sorted, each once, without importing the packages."""
    return sorted({point.name for point in entry_points(group=group)})


def load_entry_points(
    group: str, is_valid: Callable[[Any], bool], expected: str, taken: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return the objects of a group by name.

    An entry point that cannot be loaded, is not of the right kind, or has a name of `taken` or of
    another package is left out with a warning, so that a broken package stops no other trial.

    expected: what the object must be, for the message.
    """
    loaded: dict[str, Any] = {}
    for point in sorted(entry_points(group=group), key=lambda point: (point.name, point.value)):
        if point.name in taken or point.name in loaded:
            _warn(point, f"the name {point.name} is taken: rename it")
            continue
        try:
            value = point.load()
        except Exception as error:  # code of another package may raise anything
            _warn(point, f"{type(error).__name__}: {error}")
            continue
        if is_valid(value):
            loaded[point.name] = value
        else:
            _warn(point, f"{point.value} is not {expected}")
    return loaded


def _warn(point: EntryPoint, reason: str) -> None:
    package = point.dist.name if point.dist else "an installed package"
    logger.warning(
        "%s of %s in %s is not used: %s", point.name, point.group, package, " ".join(reason.split())
    )
