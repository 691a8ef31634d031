"""Sweep manifests as frames read them: the planned cells and the trials behind each.

A table counts missing trials against the manifest, so that a trial that never started is reported
as missing and not left out of a mean.
"""

import re
import shlex
from pathlib import Path

from clip_hparam.analysis.frames.json_files import UnreadableError, read_record_json
from clip_hparam.design.racing import Race
from clip_hparam.records.manifests.lookup import find_sweeps
from clip_hparam.records.manifests.manifest import ManifestCell, SweepManifest, parse_manifest
from clip_hparam.records.manifests.names import newest_by_name, output_names
from clip_hparam.records.paths import manifest_paths

__all__ = [
    "ManifestCell",
    "SweepManifest",
    "family_title",
    "find_sweeps",
    "newest_by_name",
    "output_names",
    "race_of",
    "read_manifests",
]
PLACE_KEYS = {
    "family",
    "data",
    "data.root",
    "data.selection_root",
    "data.shift_root",
    "encoder.pretrained",
    "machine",
}
FILE_NAME_PATTERN = re.compile(r"\w[\w.=-]*")


def read_manifests(runs: Path) -> tuple[list[SweepManifest], list[str]]:
    """Return all manifests of a runs folder, and a sentence for each that cannot be read."""
    sweeps: list[SweepManifest] = []
    problems: list[str] = []
    for path in sorted(manifest_paths(runs)):
        try:
            sweeps.append(_read_manifest(path))
        except UnreadableError as error:
            problems.append(str(error))
    return sweeps, problems


def family_title(sweep: SweepManifest) -> str:
    """Return the family of a sweep and what was typed for it, without places and the data set.

    Each sweep of a real family is typed with them, and a path says nothing about the numbers.
    """
    try:
        typed = shlex.split(sweep.difference.strip()[1:-1])
    except ValueError:  # a path with an apostrophe, or a title that was cut off
        typed = []
    kept = [word for word in typed if word.partition("=")[0] not in PLACE_KEYS]
    return ", ".join([sweep.family, " ".join(kept)]) if kept else sweep.family


def race_of(sweep: SweepManifest) -> Race | None:
    """Return the race of a sweep, None if it was not raced."""
    return None if sweep.race is None else Race(**sweep.race)


def _read_manifest(path: Path) -> SweepManifest:
    """Raise UnreadableError for a manifest of another shape, or a name unfit for a file."""
    tree = read_record_json(path)
    try:
        sweep = parse_manifest(tree)
        race_of(sweep)
    except (TypeError, ValueError) as error:
        raise UnreadableError(f"{path} is not a sweep manifest") from error
    if not FILE_NAME_PATTERN.fullmatch(sweep.name):
        raise UnreadableError(f"{path}: the sweep's name {sweep.name!r} cannot name a file")
    return sweep
