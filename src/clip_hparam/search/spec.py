"""A search as data: what it asks, of what, how long; and its manifest, which grows by its points.

runs/.sweeps/<sweep_id>.json     the manifest: a cell a point, as of any other sweep
runs/.sweeps/<sweep_id>/         journal, locks, a folder a worker
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from clip_hparam.config.recipe import with_values
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.design.design import Overrides, key_of, merged_overrides
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.atomic import read_json, utc_timestamp, write_atomic
from clip_hparam.records.paths import (
    manifest_path,
    runs_of_manifest,
    sweep_folder,
    worker_id,
)
from clip_hparam.records.provenance import command_line
from clip_hparam.records.record import SCHEMA_VERSION
from clip_hparam.search.objective import Objective
from clip_hparam.search.space import Space, parse_space


@dataclass(frozen=True)
class SearchSpec:
    """A search: its space, goal and base decide what it is; the rest may change as it goes on.

    base: a job whose recipe is not resolved yet; points replace knobs of it.
    storage: a URL without its password.
    timeout: seconds after which a command starts no more trials; 0 is none.
    budget: seconds that all trials together may take, over all commands; 0 is none.
    retries: how often a point may be taken over from a worker that died.
    full: knobs that are cheaper in the search than what its points are to stand for, and their
        values there.
    """

    name: str
    study_name: str
    base: TrialSpec
    overrides: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]
    when: Mapping[str, str]
    seeds: tuple[int, ...]
    goal: Objective
    sampler: Mapping[str, Any]
    pruner: Mapping[str, Any]
    n_trials: int
    storage: str = ""
    timeout: float = 0.0
    budget: float = 0.0
    retries: int = 1
    full: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def space(self) -> Space:
        return parse_space(self.levels, self.when)

    @property
    def epochs(self) -> int:
        """The most that a point has."""
        return int(self._largest_value("epochs", self.base.recipe.epochs))

    @property
    def warmup(self) -> float:
        """The longest that a point has, as a share of its run."""
        return self._largest_value("warmup", self.base.recipe.warmup)

    def _largest_value(self, knob: str, otherwise: float) -> float:
        asked = [point[knob] for point in self.space.boundary_values() if knob in point]
        return float(max(asked, default=otherwise))

    @property
    def id(self) -> str:
        """Hash of what it asks: the same search has the same id, however long it is to be."""
        asked = [
            *(self.name, self.study_name, self.overrides, self.levels, self.when, self.seeds),
            asdict(self.goal),
        ]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def study(self) -> str:
        """Its name in the store."""
        return self.study_name or f"{self.name}-{self.id}"

    @property
    def runs(self) -> Path:
        return Path(self.base.machine.runs)

    @property
    def folder(self) -> Path:
        return sweep_folder(self.runs, self.id)

    @property
    def url(self) -> str:
        return self.storage or str(self.folder / "study.journal")

    @property
    def cheap(self) -> list[str]:
        """The overrides that `full` would replace."""
        return [override for override in self.overrides if key_of(override) in self.full]

    def at_full_fidelity(self, overrides: Sequence[str]) -> Overrides:
        """Of a point, at full cost."""
        return merged_overrides(overrides, [f"{knob}={value}" for knob, value in self.full.items()])

    def jobs(self, values: Mapping[str, Any]) -> dict[int, TrialSpec]:
        """The trials of a point by seed. Raises ValueError for what cannot run."""
        recipe = resolve(with_values(self.base.recipe, dict(values)))
        return {seed: replace(self.base, recipe=replace(recipe, seed=seed)) for seed in self.seeds}

    def worker(self, number: int) -> TrialSpec:
        """The job that asks for trials and runs them."""
        return replace(self.base, worker=worker_id(self.id, number), gpus_per_trial=1)

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "base": self.base.to_dict()}

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any], runs: Path) -> "SearchSpec":
        """With its records in `runs`, wherever that was moved."""
        base = TrialSpec.from_dict(tree["base"])
        read = {
            "base": replace(base, machine=replace(base.machine, runs=str(runs))),
            "overrides": tuple(tree["overrides"]),
            "levels": {knob: tuple(levels) for knob, levels in tree["levels"].items()},
            "seeds": tuple(tree["seeds"]),
            "goal": Objective(*(tuple(tree["goal"][key]) for key in ("objectives", "directions"))),
        }
        return cls(**{**tree, **read})


class SearchManifest:
    """Reads and writes a search's manifest; only who asks under the lock adds cells (study.py)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read_stamp: tuple[int, int] | None = None
        self._tree: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        """Not to be changed. Raises FileNotFoundError if it is gone."""
        stamp = self._stamp()
        if stamp != self._read_stamp:
            tree = read_json(self.path)
            if tree is None:
                raise FileNotFoundError(f"{self.path} is no manifest of a search: type it again")
            self._tree, self._read_stamp = tree, stamp
        return self._tree

    def search(self) -> SearchSpec:
        return SearchSpec.from_dict(self.read()["search"], runs_of_manifest(self.path))

    def open(self, search: SearchSpec) -> None:
        """Put a search on disk; one that is there goes on with the points that it has."""
        known = read_json(self.path) or {}
        head = {
            "schema": SCHEMA_VERSION,
            "sweep_id": search.id,
            "name": search.name,
            "kind": "search",
        }
        rest = {"created": utc_timestamp(), "command": command_line(), "search": search.to_dict()}
        self._write({**head, **rest, "cells": known.get("cells", [])})

    def add(self, cell: dict[str, Any]) -> None:
        tree = self.read()
        self._write({**tree, "cells": [*tree["cells"], cell]})

    def _write(self, tree: dict[str, Any]) -> None:
        """A line a cell: json's fast encoder, which matters to a search of thousands."""
        head = json.dumps({**tree, "cells": []}, allow_nan=False).removesuffix("]}")
        cells = ",\n".join(json.dumps(cell, allow_nan=False) for cell in tree["cells"])
        write_atomic(self.path, f"{head}\n{cells}\n]}}\n".encode())
        self._tree, self._read_stamp = tree, self._stamp()

    def _stamp(self) -> tuple[int, int]:
        stat = self.path.stat()
        return stat.st_ino, stat.st_mtime_ns


def search_manifest(search: SearchSpec) -> SearchManifest:
    return SearchManifest(manifest_path(search.runs, search.id))
