"""Sweep manifests: which cells were asked for, and which trials (seeds) stand behind each.

The manifest is what was planned. A table counts missing trials against it, so that a trial that
never started is seen to be missing and not averaged over.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from clip_hparam.analysis.frames.json_files import UnreadableError, read_record_json
from clip_hparam.design.racing import Race
from clip_hparam.records.paths import manifest_paths


class ManifestCell(NamedTuple):
    """One configuration, run once per seed."""

    label: str
    overrides: tuple[str, ...]
    trials: dict[int, str]  # seed -> trial_id


class SweepManifest(NamedTuple):
    """One manifest; `cells` are in the design's order."""

    sweep_id: str
    name: str
    kind: str
    created: str
    cells: tuple[ManifestCell, ...]
    race: Race | None = None
    full: tuple[str, ...] = ()  # of a search that trained its points at less: what they stand for


def read_manifests(runs: Path) -> tuple[list[SweepManifest], list[str]]:
    """All manifests of a runs folder, and a sentence for each that cannot be read."""
    sweeps: list[SweepManifest] = []
    problems: list[str] = []
    for path in sorted(manifest_paths(runs)):
        try:
            sweeps.append(_parse_manifest(path, read_record_json(path)))
        except UnreadableError as error:
            problems.append(str(error))
    return sweeps, problems


def newest_by_name(sweeps: Iterable[SweepManifest]) -> dict[str, SweepManifest]:
    """For each name the manifest written last: what the user asked for most recently."""
    ordered = sorted(sweeps, key=lambda sweep: (sweep.created, sweep.sweep_id))
    return {sweep.name: sweep for sweep in ordered}


def _parse_manifest(path: Path, tree: dict[str, Any]) -> SweepManifest:
    """Raises UnreadableError for a manifest of another shape, or a name unfit for a file."""
    try:
        cells = tuple(_parse_cell(cell) for cell in tree["cells"])
        sweep_id, name, kind, created = (
            str(tree[key]) for key in ("sweep_id", "name", "kind", "created")
        )
        race = Race(**tree["race"]) if "race" in tree else None
        whole = tree.get("search", {}).get("full", {})
        full = tuple(f"{knob}={value}" for knob, value in whole.items())
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableError(f"{path} is not a sweep manifest") from error
    if not re.fullmatch(r"\w[\w.=-]*", name):
        raise UnreadableError(f"{path}: the sweep's name {name!r} cannot name a file")
    return SweepManifest(sweep_id, name, kind, created, cells, race, full)


def _parse_cell(tree: dict[str, Any]) -> ManifestCell:
    trials = {int(seed): str(trial_id) for seed, trial_id in tree["trials"].items()}
    return ManifestCell(
        str(tree["label"]), tuple(map(str, tree["overrides"])), dict(sorted(trials.items()))
    )
