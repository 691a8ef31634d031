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
from clip_hparam.records.atomic import read_json
from clip_hparam.records.manifest import GrowingManifest, manifest_tree
from clip_hparam.records.paths import (
    manifest_path,
    runs_of_manifest,
    sweep_folder,
    worker_id,
)
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


class SearchManifest(GrowingManifest):
    """Manifest of a search; only the holder of ask.lock may add cells (see study.py)."""

    def load_search(self) -> SearchSpec:
        return SearchSpec.from_dict(self.read()["search"], runs_of_manifest(self.path))

    def create_or_continue(self, search: SearchSpec) -> None:
        """Write the manifest of a search; cells that it already has are kept."""
        cells = (read_json(self.path) or {}).get("cells", [])
        self.write(manifest_tree(search.id, search.name, "search", cells, search=search.to_dict()))


def search_manifest(search: SearchSpec) -> SearchManifest:
    return SearchManifest(manifest_path(search.runs, search.id))
