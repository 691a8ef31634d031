"""Specification of a search, and its manifest, to which each point adds a cell.

runs/.sweeps/<sweep_id>.json     manifest: one cell per point, as in any other sweep
runs/.sweeps/<sweep_id>/         journal, locks, one folder per worker
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from clip_hparam.config.recipe import with_values
from clip_hparam.config.text.override_words import format_override
from clip_hparam.config.trial_spec import TrialSpec
from clip_hparam.config.worker_spec import WorkerSpec
from clip_hparam.design.design import Overrides, key_of, merged_overrides
from clip_hparam.design.families import family_of, real_family
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.atomic import read_json
from clip_hparam.records.manifests.growing import GrowingManifest
from clip_hparam.records.manifests.manifest import manifest_tree
from clip_hparam.records.paths import manifest_path, runs_of_manifest, sweep_folder, worker_id
from clip_hparam.search.objective import Objective
from clip_hparam.search.space import Space, parse_space


@dataclass(frozen=True)
class SearchSpec:
    """Specification of a search.

    Names, base, space, seeds and goal are hashed into its id; the other fields may change when the
    search is continued.

    base: trial whose recipe is not resolved; a point replaces the searched knobs in it.
    levels: texts of levels and ranges by knob; see `space.parse_space`.
    storage: URL without its password, or "" for a journal file.
    timeout: seconds after which a command starts no more trials; 0 for no limit.
    budget: seconds of all trials together, over all commands; 0 for no limit.
    retries: how often a point may be taken over from a worker whose process was lost.
    full: values at full fidelity of the knobs that are cheaper in the search.
    title, tags: as of any other sweep (records/manifests/manifest.py).
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
    title: str = ""
    tags: tuple[str, ...] = ()

    @cached_property
    def space(self) -> Space:
        return parse_space(self.levels, self.when)

    @property
    def max_epochs(self) -> int:
        """Largest number of epochs of any point."""
        return int(self._largest_value("epochs", self.base.recipe.epochs))

    @property
    def max_warmup(self) -> float:
        """Largest warm-up of any point, as a share of its run."""
        return self._largest_value("warmup", self.base.recipe.warmup)

    def _largest_value(self, knob: str, otherwise: float) -> float:
        values = [point[knob] for point in self.space.boundary_values() if knob in point]
        return float(max(values, default=otherwise))

    @property
    def id(self) -> str:
        """Hash of the question: a search keeps its id when it is continued with more points."""
        question = [
            *(self.name, self.study_name, self.overrides, self.levels, self.when, self.seeds),
            asdict(self.goal),
        ]
        return hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def optuna_study_name(self) -> str:
        """Name of the study in Optuna's storage."""
        return self.study_name or f"{self.name}-{self.id}"

    @property
    def runs(self) -> Path:
        return Path(self.base.machine.runs)

    @property
    def folder(self) -> Path:
        return sweep_folder(self.runs, self.id)

    @property
    def storage_url(self) -> str:
        return self.storage or str(self.folder / "study.journal")

    @property
    def reduced_overrides(self) -> list[str]:
        """Overrides that `at_full_fidelity` replaces."""
        return [override for override in self.overrides if key_of(override) in self.full]

    def at_full_fidelity(self, overrides: Sequence[str]) -> Overrides:
        """Return the overrides of a point with its knobs at full fidelity."""
        return merged_overrides(overrides, [f"{knob}={value}" for knob, value in self.full.items()])

    def trial_specs(self, values: Mapping[str, Any]) -> dict[int, TrialSpec]:
        """Return the trials of a point by seed; ValueError if no recipe allows its values."""
        recipe = resolve(with_values(self.base.recipe, dict(values)))
        searched = [format_override(knob, value) for knob, value in values.items()]
        typed = merged_overrides(self.base.overrides, self.overrides, searched)
        return {
            seed: replace(
                self.base,
                recipe=replace(recipe, seed=seed),
                overrides=merged_overrides(typed, [f"seed={seed}"]),
            )
            for seed in self.seeds
        }

    def worker_spec(self, number: int) -> WorkerSpec:
        """Return the spec of a worker process, which asks for points and trains them."""
        return WorkerSpec(replace(self.base, gpus_per_trial=1), worker_id(self.id, number))

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "base": self.base.to_dict()}

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any], runs: Path) -> "SearchSpec":
        """Return the search with its records in `runs`, also where that folder was moved."""
        read = {
            "base": TrialSpec.from_dict(tree["base"]).with_runs(str(runs)),
            "overrides": tuple(tree["overrides"]),
            "levels": {knob: tuple(levels) for knob, levels in tree["levels"].items()},
            "seeds": tuple(tree["seeds"]),
            "tags": tuple(tree.get("tags", ())),
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
        self.write(
            manifest_tree(
                search.id,
                search.name,
                "search",
                cells,
                real_family(family_of(search.overrides)),
                search=search.to_dict(),
                title=search.title,
                tags=search.tags,
            )
        )


def search_manifest(search: SearchSpec) -> SearchManifest:
    """Return the growing manifest of a search."""
    return SearchManifest(manifest_path(search.runs, search.id))
