"""The manifest of a sweep: its cells and the trials behind them, written before a trial starts.

    runs/.sweeps/<sweep_id>.json
        schema, sweep_id, name, kind, created (UTC), command
        family           only of another recipe family than that of the miniature
        title            the name and what was typed beside the swept knobs, for people
        tags, folder     tags that were typed, and the folder in which the command was typed
        race, search     only where the sweep has one
        cells            [{label, overrides, trials: {seed: trial_id}}, ...] in the design's order

A search adds a cell per point, with `number` and `params` beside the keys above.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clip_hparam.records.atomic import read_json, utc_timestamp, write_atomic, write_json
from clip_hparam.records.paths import is_inside, manifest_path, manifest_paths
from clip_hparam.records.provenance import command_line
from clip_hparam.records.record import SCHEMA_VERSION

MAX_NAME_LENGTH, MAX_NAME_BYTES = 100, 200
"""results/<name>_<table>.<suffix> must stay a legal file name, which has at most 255 bytes."""
RESERVED_NAMES = (
    *("report", "trials", "systems", "published", "published_ladder", "logs", "curves", "cost"),
    *("axes", "parallel", "importance", "best_of_n"),
)
"""Names of other files in the results folder; a sweep of this name gets files with a suffix."""
MIN_PREFIX_LENGTH = 3  # of an id: shorter texts are mistyped names rather than ids
SUFFIX_LENGTH, STEM_LENGTH = 4, 60


@dataclass(frozen=True)
class ManifestCell:
    """One configuration, run once per seed; `trials` holds trial ids by ascending seed."""

    label: str
    overrides: tuple[str, ...]
    trials: Mapping[int, str]


@dataclass(frozen=True)
class SweepManifest:
    """A manifest as it was read.

    race: fields of `design.racing.Race`; None for a sweep that is not raced.
    family: recipe family of all cells; empty for the miniature.
    full: overrides at full fidelity of a search that trained its points at less.
    title: the name, and what tells the sweep from others of this name.
    folder: the folder in which the command was typed; "" for manifests that lack it.
    """

    sweep_id: str
    name: str
    kind: str
    created: str
    cells: tuple[ManifestCell, ...]
    command: tuple[str, ...] = ()
    race: Mapping[str, Any] | None = None
    full: tuple[str, ...] = ()
    family: str = ""
    title: str = ""
    tags: tuple[str, ...] = ()
    folder: str = ""

    @property
    def trial_ids(self) -> list[str]:
        """Ids of all planned trials, each once, in the order of the cells."""
        return list(dict.fromkeys(name for cell in self.cells for name in cell.trials.values()))

    @property
    def difference(self) -> str:
        """The part of the title after the name, " (data=folder)"; empty where nothing was typed."""
        return self.title[start:] if (start := self.title.find(" (")) > 0 else ""


def manifest_tree(
    sweep_id: str,
    name: str,
    kind: str,
    cells: Sequence[Mapping[str, Any]],
    family: str = "",
    race: Mapping[str, Any] | None = None,
    search: Mapping[str, Any] | None = None,
    title: str = "",
    tags: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the JSON object of a manifest that this command creates now."""
    head: dict[str, Any] = {
        "schema": SCHEMA_VERSION,
        "sweep_id": sweep_id,
        "name": name,
        "kind": kind,
    }
    if family:
        head["family"] = family
    if race is not None:
        head["race"] = race
    head |= {"created": utc_timestamp(), "command": command_line()}
    if title:
        head |= {"title": title, "tags": list(tags), "folder": str(Path.cwd())}
    if search is not None:
        head["search"] = search
    return {**head, "cells": cells}


def write_manifest(runs: Path, tree: Mapping[str, Any]) -> None:
    """Write the manifest of a sweep whose cells are all known."""
    write_json(manifest_path(runs, tree["sweep_id"]), tree)


class GrowingManifest:
    """A manifest that cells are added to; a process that reads it sees all whole cells."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read_stamp: tuple[int, int] | None = None
        self._tree: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        """Return the manifest, which the caller must not change; FileNotFoundError if missing."""
        stamp = self._stamp()
        if stamp != self._read_stamp:
            tree = read_json(self.path)
            if tree is None:
                raise FileNotFoundError(f"{self.path} is no manifest of a search: type it again")
            self._tree, self._read_stamp = tree, stamp
        return self._tree

    def write(self, tree: dict[str, Any]) -> None:
        """Write one line per cell with json's fast encoder, for searches of thousands of points."""
        head = json.dumps({**tree, "cells": []}, allow_nan=False).removesuffix("]}")
        cells = ",\n".join(json.dumps(cell, allow_nan=False) for cell in tree["cells"])
        write_atomic(self.path, f"{head}\n{cells}\n]}}\n".encode())
        self._tree, self._read_stamp = tree, self._stamp()

    def add_cell(self, cell: dict[str, Any]) -> None:
        """Append a cell; the caller holds the lock that keeps other writers out."""
        tree = self.read()
        self.write({**tree, "cells": [*tree["cells"], cell]})

    def _stamp(self) -> tuple[int, int]:
        stat = self.path.stat()
        return stat.st_ino, stat.st_mtime_ns


def parse_manifest(tree: Mapping[str, Any]) -> SweepManifest:
    """Return the manifest in a JSON object.

    Raises ValueError for an object of another shape, and for ids that would leave the runs folder.
    """
    try:
        full = tree.get("search", {}).get("full", {})
        manifest = SweepManifest(
            sweep_id=str(tree["sweep_id"]),
            name=str(tree["name"]),
            kind=str(tree["kind"]),
            created=str(tree["created"]),
            cells=tuple(_parse_cell(cell) for cell in tree["cells"]),
            command=tuple(map(str, tree.get("command") or ())),
            race=tree.get("race"),
            full=tuple(f"{knob}={value}" for knob, value in full.items()),
            family=str(tree.get("family", "")),
            title=str(tree.get("title") or tree["name"]),
            tags=tuple(map(str, tree.get("tags") or ())),
            folder=str(tree.get("folder") or ""),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a sweep manifest lacks or mistypes {error}") from error
    for name in (manifest.sweep_id, *manifest.trial_ids):
        if not is_inside(name):
            raise ValueError(
                f"a sweep manifest holds the id {name!r}, which is no name of a folder"
            )
    return manifest


def _parse_cell(tree: Mapping[str, Any]) -> ManifestCell:
    trials = sorted((int(seed), str(name)) for seed, name in tree["trials"].items())
    return ManifestCell(str(tree["label"]), tuple(map(str, tree["overrides"])), dict(trials))


def read_manifests(runs: Path | str) -> list[SweepManifest]:
    """Return the manifests of a runs folder, oldest first; unreadable files are left out."""
    manifests = []
    for path in manifest_paths(runs):
        try:
            manifests.append(parse_manifest(read_json(path) or {}))
        except ValueError:
            continue
    return sorted(manifests, key=_age)


def newest_by_name(manifests: Iterable[SweepManifest]) -> dict[str, SweepManifest]:
    """Return the newest manifest of each name, oldest name first."""
    return {manifest.name: manifest for manifest in sorted(manifests, key=_age)}


def is_too_long(name: str) -> bool:
    """Return whether a name of a sweep is too long to name its files."""
    return len(name) > MAX_NAME_LENGTH or len(name.encode()) > MAX_NAME_BYTES


def output_names(manifests: Iterable[SweepManifest]) -> dict[str, SweepManifest]:
    """Return each sweep by the name of its files in the results folder, oldest first.

    The newest sweep of a name has the name itself, the others NAME-<first 4 of the id>. A name that
    is too long for a file is cut off and gets the same suffix.
    """
    by_id = {manifest.sweep_id: manifest for manifest in sorted(manifests, key=_age)}
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


def _age(manifest: SweepManifest) -> tuple[str, str]:
    return manifest.created, manifest.sweep_id


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
        raise ValueError(f"several sweeps have a cell {name}: say SWEEP/{name}, one of {sweeps}")
    return cells


def find_trial_id(ids: Iterable[str], prefix: str) -> str | None:
    """Return the id that is `prefix`, or the one that starts with it, None if there is none.

    Raises ValueError if several start with it.
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
