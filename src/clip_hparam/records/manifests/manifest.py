"""The manifest of a sweep: its cells and the trials behind them, written before a trial starts.

    runs/.sweeps/<sweep_id>.json
        schema, sweep_id, name, kind, created (UTC), command
        family           only of another recipe family than that of the miniature
        title            the name and the overrides typed beside the swept knobs, for people
        tags, folder     tags that were typed, and the folder in which the command was typed
        race, search     only where the sweep has one
        cells            [{label, overrides, trials: {seed: trial_id}}, ...] in the design's order

A search adds a cell per point (growing.py), with `number` and `params` beside the keys above.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clip_hparam.records.atomic import read_json, utc_timestamp, write_json
from clip_hparam.records.paths import is_inside, manifest_path, manifest_paths
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
    family: recipe family of all cells; empty for the miniature.
    full: overrides at full fidelity of a search that trained its points at less.
    title: the name, and the typed overrides that distinguish sweeps of one name.
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
    def trial_names(self) -> dict[str, str]:
        """ "LABEL seed=N" by trial id, with the first cell that has the trial."""
        names = [
            (trial, f"{cell.label} seed={seed}")
            for cell in self.cells
            for seed, trial in cell.trials.items()
        ]
        return dict(reversed(names))

    def age(self) -> tuple[str, str]:
        """Return the key that sorts manifests, the oldest first."""
        return self.created, self.sweep_id

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


def parse_manifest(tree: Mapping[str, Any]) -> SweepManifest:
    """Return the manifest in a JSON object.

    Raises: ValueError for an object of another shape, and for ids that would leave the runs folder.
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
        raise ValueError(f"a sweep manifest has no valid value for {error}") from error
    for name in (manifest.sweep_id, *manifest.trial_ids):
        if not is_inside(name):
            raise ValueError(
                f"a sweep manifest holds the id {name!r}, which is not a name of a folder"
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
    return sorted(manifests, key=SweepManifest.age)
