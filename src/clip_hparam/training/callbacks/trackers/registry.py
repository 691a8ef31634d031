"""The trackers that `tracker=[...]` can name: those of this package, and those of entry points."""

from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec

from clip_hparam.config.entry_points import TRACKER_GROUP, load_entry_points
from clip_hparam.config.knob import suggest
from clip_hparam.training.callbacks.trackers.mlflow import MlflowTracker
from clip_hparam.training.callbacks.trackers.tensorboard import TensorBoardTracker
from clip_hparam.training.callbacks.trackers.tracker import Tracker
from clip_hparam.training.callbacks.trackers.wandb import WandbTracker

TRACKERS: dict[str, type[Tracker]] = {
    "tensorboard": TensorBoardTracker,
    "wandb": WandbTracker,
    "mlflow": MlflowTracker,
}
"""By the name that `tracker` and `clip-hparam sync` take."""


def tracker_class(name: str) -> type[Tracker]:
    """Return the class of a tracker whose package is installed.

    Raises: ValueError for an unknown name, with the legal ones, and for a package that is missing.
    """
    known = {**_installed_trackers(), **TRACKERS}
    if name not in known:
        raise ValueError(f"unknown tracker={name}: {suggest(name, sorted(known))}")
    tracker = known[name]
    if tracker.package and find_spec(tracker.package) is None:
        raise ValueError(
            f"tracker={name} needs the package {tracker.package}, which is not installed: type"
            f" pip install '{tracker.extra}'"
        )
    return tracker


def validate_trackers(names: Iterable[str]) -> None:
    """Raise ValueError for the first name that `tracker_class` refuses."""
    for name in names:
        tracker_class(name)


@cache
def _installed_trackers() -> dict[str, type[Tracker]]:
    return load_entry_points(
        TRACKER_GROUP, _is_tracker, "a subclass of Tracker", frozenset(TRACKERS)
    )


def _is_tracker(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Tracker)
