"""The interface of a tracker, and the trial that it shows as a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from clip_hparam.config.tree import flatten_tree
from clip_hparam.records.credentials import without_password
from clip_hparam.records.manifests.manifest import read_manifests
from clip_hparam.records.record import Record


@dataclass(frozen=True)
class TrackedRun:
    """A trial as a run of a tracker; no field holds a path or a password.

    trial_id: identity of the run; a resumed trial continues the run of this id.
    group: name of the newest sweep with this trial; "single" for a trial without a sweep.
    name: label of the cell and the seed. tags: those of the sweep.
    config: the hashed knobs by their dotted names, as in a frame.
    """

    trial_id: str
    group: str
    name: str
    config: Mapping[str, Any]
    tags: tuple[str, ...] = ()


class Tracker:
    """Base class of a tracker: one run, which `__init__` starts or continues.

    One thread creates it and calls its methods, never the thread that trains. It may raise any
    exception: the trial continues without it.

    package: name of the package to import; "" for none.
    extra: the extra of clip-hparam, or the distribution, that installs it, for messages.
    """

    package: ClassVar[str] = ""
    extra: ClassVar[str] = ""

    def __init__(self, run: TrackedRun, folder: Path) -> None:
        """Start or continue the run. folder: where this tracker may keep files; it exists."""

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Receive the numbers of an epoch; step: optimizer steps done, larger at each call."""

    def close(self, state: str, summary: Mapping[str, float]) -> None:
        """Receive the state in which the attempt ended and the numbers of result.json, if any."""

    @classmethod
    def destination(cls, folder: Path) -> str:
        """Return where the runs go, without a password; another place gets all numbers again."""
        return str(folder)


def tracked_run(record: Record) -> TrackedRun:
    """Return the run of a trial with a recipe.json. Raises ValueError if that is missing."""
    head = record.recipe()
    if head is None:
        raise ValueError(f"{record.folder}/recipe.json is missing or damaged")
    config = {name: _public(value) for name, value in flatten_tree(head["recipe"]).items()}
    group, cell = "single", str(head.get("label") or record.trial_id)
    tags: tuple[str, ...] = ()
    for manifest in reversed(read_manifests(record.folder.parent)):
        labels = [cell.label for cell in manifest.cells if record.trial_id in cell.trials.values()]
        if labels:
            group, cell, tags = manifest.name, labels[0], manifest.tags
            break
    seed = f"seed={config.get('seed')}"
    name = cell if seed in cell.split(",") else f"{cell} {seed}"
    return TrackedRun(record.trial_id, group, without_password(name), config, tags)


def numbers(tree: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a flat mapping; null, text and flags are left out."""
    return {
        name: float(value)
        for name, value in tree.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }


def _public(value: Any) -> Any:
    return without_password(value) if isinstance(value, str) else value
