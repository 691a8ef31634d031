"""The manifest of a sweep: its cells and the trials behind them, written before a trial starts.

    runs/.sweeps/<sweep_id>.json
        schema, sweep_id, name, kind, created (UTC), command
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
from clip_hparam.records.paths import manifest_path, manifest_paths
from clip_hparam.records.provenance import command_line
from clip_hparam.records.record import SCHEMA_VERSION


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
    full: overrides at full fidelity of a search that trained its points at less.
    """

    sweep_id: str
    name: str
    kind: str
    created: str
    cells: tuple[ManifestCell, ...]
    command: tuple[str, ...] = ()
    race: Mapping[str, Any] | None = None
    full: tuple[str, ...] = ()

    @property
    def trial_ids(self) -> list[str]:
        """Ids of all planned trials, each once, in the order of the cells."""
        return list(dict.fromkeys(name for cell in self.cells for name in cell.trials.values()))


def manifest_tree(
    sweep_id: str,
    name: str,
    kind: str,
    cells: Sequence[Mapping[str, Any]],
    race: Mapping[str, Any] | None = None,
    search: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the JSON object of a manifest that this command creates now."""
    head: dict[str, Any] = {
        "schema": SCHEMA_VERSION,
        "sweep_id": sweep_id,
        "name": name,
        "kind": kind,
    }
    if race is not None:
        head["race"] = race
    head |= {"created": utc_timestamp(), "command": command_line()}
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
    """Return the manifest in a JSON object. Raises ValueError for an object of another shape."""
    try:
        full = tree.get("search", {}).get("full", {})
        return SweepManifest(
            sweep_id=str(tree["sweep_id"]),
            name=str(tree["name"]),
            kind=str(tree["kind"]),
            created=str(tree["created"]),
            cells=tuple(_parse_cell(cell) for cell in tree["cells"]),
            command=tuple(map(str, tree.get("command") or ())),
            race=tree.get("race"),
            full=tuple(f"{knob}={value}" for knob, value in full.items()),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a sweep manifest lacks or mistypes {error}") from error


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


def _age(manifest: SweepManifest) -> tuple[str, str]:
    return manifest.created, manifest.sweep_id


def find_cells(
    manifests: Iterable[SweepManifest], name: str
) -> list[tuple[SweepManifest, ManifestCell]]:
    """Return the cells that [SWEEP/]LABEL names, with their manifests; all have the same trials.

    SWEEP is a name or an id. A name stands for its newest manifest; without a sweep the newest
    manifest of each name is searched. Raises ValueError if cells with different trials match.
    """
    manifests = list(manifests)
    newest = newest_by_name(manifests)
    sweep, _, label = name.partition("/")
    named = newest.get(sweep) or next((m for m in manifests if m.sweep_id == sweep), None)
    searched, wanted = ([named], label) if label and named else (newest.values(), name)
    cells = [(m, cell) for m in searched for cell in m.cells if cell.label == wanted]
    if len({frozenset(cell.trials.values()) for _, cell in cells}) > 1:
        raise ValueError(f"several sweeps have a cell {name}: say SWEEP/{name}")
    return cells


def find_trial_id(ids: Iterable[str], prefix: str) -> str | None:
    """Return the id that is `prefix`, or the one that starts with it, None if there is none.

    Raises ValueError if several start with it.
    """
    ids = list(ids)
    if prefix in ids:
        return prefix
    matches = [trial_id for trial_id in ids if trial_id.startswith(prefix)]
    if len(matches) > 1:
        raise ValueError(f"{len(matches)} trials start with {prefix}: {', '.join(matches[:5])}")
    return matches[0] if matches else None
