"""Find the sweep, the cell or the trial that a name, an id or the start of an id means."""

from collections.abc import Iterable

from clip_hparam.records.manifests.manifest import ManifestCell, SweepManifest
from clip_hparam.records.manifests.names import newest_by_name, output_names

MIN_PREFIX_LENGTH = 3  # a shorter start of an id is rather a mistyped name


def find_sweeps(manifests: Iterable[SweepManifest], wanted: str) -> list[SweepManifest]:
    """Return the sweeps that a text names, oldest first; empty if there are none.

    wanted: a name, which several sweeps may have, the name of their files in results, an id, or the
    start of one id. Raises ValueError if several ids have this start.
    """
    named = output_names(manifests)
    sweeps = list(named.values())
    for found in (
        [sweep for sweep in sweeps if sweep.sweep_id == wanted],
        [sweep for sweep in sweeps if sweep.name == wanted],
        [named[wanted]] if wanted in named else [],
    ):
        if found:
            return found
    if len(wanted) < MIN_PREFIX_LENGTH:
        return []
    begin = [sweep for sweep in sweeps if sweep.sweep_id.startswith(wanted)]
    if len(begin) > 1:
        listed = ", ".join(f"{sweep.sweep_id} ({sweep.title})" for sweep in begin)
        raise ValueError(f"{len(begin)} sweeps have an id that begins with {wanted}: {listed}")
    return begin


def ambiguity_note(manifests: Iterable[SweepManifest], wanted: str) -> str:
    """Return which sweep of a shared name is used, and how to name the others; else empty."""
    found = find_sweeps(manifests, wanted)
    if len(found) < 2:
        return ""
    *others, used = found
    listed = ", ".join(f"{other.sweep_id} ({other.title})" for other in reversed(others[-5:]))
    return (
        f"{len(others) + 1} sweeps are called {wanted}: the newest is used, {used.sweep_id}"
        f" ({used.title}); another one is named by its id: {listed}"
    )


def find_cells(
    manifests: Iterable[SweepManifest], name: str
) -> list[tuple[SweepManifest, ManifestCell]]:
    """Return the cells that [SWEEP/]LABEL names, with their manifests; all have the same trials.

    SWEEP is what `find_sweeps` takes. A name stands for its newest manifest; without a sweep the
    newest manifest of each name is searched. Raises ValueError if cells with other trials match.
    """
    manifests = list(manifests)
    newest = newest_by_name(manifests)
    sweep, _, label = name.partition("/")
    named = find_sweeps(manifests, sweep)[-1:] if label else []
    searched, wanted = (named, label) if named else (list(newest.values()), name)
    cells = [(m, cell) for m in searched for cell in m.cells if cell.label == wanted]
    if len({frozenset(cell.trials.values()) for _, cell in cells}) > 1:
        sweeps = ", ".join(dict.fromkeys(f"{m.name}/{name}" for m, _ in cells))
        raise ValueError(f"several sweeps have a cell {name}: type SWEEP/{name}, one of {sweeps}")
    return cells


def name_in_older_sweep(manifests: Iterable[SweepManifest], name: str) -> str:
    """Return ID/LABEL of a cell [SWEEP/]LABEL that only older sweeps of a name have; else empty.

    Of several such sweeps it is the newest.
    """
    by_age = sorted(manifests, key=SweepManifest.age, reverse=True)
    sweep, _, label = name.partition("/")
    named = find_sweeps(by_age, sweep)[::-1] if label else []
    searched, wanted = (named, label) if named else (by_age, name)
    found = (m for m in searched if any(cell.label == wanted for cell in m.cells))
    return next((f"{m.sweep_id}/{wanted}" for m in found), "")


def find_trial_id(ids: Iterable[str], prefix: str) -> str | None:
    """Return the id that is `prefix`, or the one that starts with it, None if there is none.

    Raises: ValueError if several start with it.
    """
    ids = list(ids)
    if prefix in ids:
        return prefix
    if not prefix:
        return None
    matches = [trial_id for trial_id in ids if trial_id.startswith(prefix)]
    if len(matches) > 1:
        raise ValueError(f"{len(matches)} trials start with {prefix}: {', '.join(matches[:5])}")
    return matches[0] if matches else None
