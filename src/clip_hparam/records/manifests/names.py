"""Names of sweeps: how long they may be, which one is the newest, and the names of their files."""

from collections.abc import Iterable

from clip_hparam.records.manifests.manifest import SweepManifest

MAX_NAME_LENGTH, MAX_NAME_BYTES = 100, 200
"""results/<name>_<table>.<suffix> must stay a legal file name, which has at most 255 bytes."""
RESERVED_NAMES = (
    *("report", "trials", "systems", "published", "published_ladder", "logs", "curves", "cost"),
    *("axes", "parallel", "importance", "best_of_n", "derived"),
)
"""Names of other files in the results folder; a sweep of this name gets files with a suffix."""
SUFFIX_LENGTH, STEM_LENGTH = 4, 60


def is_too_long(name: str) -> bool:
    """Return whether a name of a sweep is too long to name its files."""
    return len(name) > MAX_NAME_LENGTH or len(name.encode()) > MAX_NAME_BYTES


def newest_by_name(manifests: Iterable[SweepManifest]) -> dict[str, SweepManifest]:
    """Return the newest manifest of each name, oldest name first."""
    return {manifest.name: manifest for manifest in sorted(manifests, key=SweepManifest.age)}


def output_names(manifests: Iterable[SweepManifest]) -> dict[str, SweepManifest]:
    """Return each sweep by the name of its files in the results folder, oldest first.

    The newest sweep of a name has the name itself, the others NAME-<first 4 of the id>. A name that
    is too long for a file is cut off and gets the same suffix.
    """
    by_id = {manifest.sweep_id: manifest for manifest in sorted(manifests, key=SweepManifest.age)}
    newest = newest_by_name(by_id.values())
    fitting = (name for name in newest if not is_too_long(name) and name not in RESERVED_NAMES)
    names = {newest[name].sweep_id: name for name in fitting}
    taken = set(names.values())
    for sweep_id, manifest in by_id.items():
        if sweep_id not in names:
            stem = manifest.name if not is_too_long(manifest.name) else manifest.name[:STEM_LENGTH]
            lengths = range(SUFFIX_LENGTH, len(sweep_id) + 1)
            candidates = (f"{stem}-{sweep_id[:length]}" for length in lengths)
            names[sweep_id] = next(name for name in candidates if name not in taken)
            taken.add(names[sweep_id])
    return {names[sweep_id]: manifest for sweep_id, manifest in by_id.items()}
