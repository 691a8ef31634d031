"""Derived results: numbers from stored weights, without training.

    runs/.derived/<derived_id>/result.json

`kind` says how the weights came about: "wise_ft", "soup", "temperature", "evaluation", ... The
parents are the weights that they were made of, each with its SHA-256. Metrics have the columns of a
trial's result.json, and so has `selected_weights`, so that `metrics.reported_value` reads both.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clip_hparam.records.atomic import read_json, to_jsonable, utc_timestamp, write_json
from clip_hparam.records.paths import derived_folder, derived_path
from clip_hparam.records.provenance import collect_provenance

DERIVED_SCHEMA = 1


@dataclass(frozen=True)
class Parent:
    """Weights that a derived result was made of.

    sha256: of the file of the weights.
    trial_id: of the trial that trained them; empty for a file from elsewhere.
    weights: name of the file in the trial's folder, or what the user typed for another file.
    """

    sha256: str
    trial_id: str = ""
    weights: str = ""


@dataclass(frozen=True)
class DerivedResult:
    """A row of the tables that is no trial.

    kind: a word without spaces, such as "soup".
    parameters: JSON values that tell results of one kind and the same parents apart, as {"alpha":
        0.5}; with the kind and the parents they are the identity.
    metrics: by the columns of result.json, such as "test_acc1.ema.selected".
    selected_weights: "raw" or "ema", the weights in these columns.
    data_fingerprint: of the data set that was evaluated.
    facts: what else was found, such as a fitted temperature; not part of the identity.
    """

    kind: str
    parents: tuple[Parent, ...]
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float | None]
    selected_weights: str
    data_fingerprint: str
    facts: Mapping[str, Any]

    @property
    def derived_id(self) -> str:
        """First 12 hex digits of the SHA-256 of kind, data, parents' SHA-256 and parameters."""
        return derived_id(self.kind, self.parents, self.parameters, self.data_fingerprint)

    @property
    def trial_ids(self) -> list[str]:
        """Ids of the trials among the parents."""
        return [parent.trial_id for parent in self.parents if parent.trial_id]


def derived_id(
    kind: str, parents: Sequence[Parent], parameters: Mapping[str, Any], data_fingerprint: str
) -> str:
    """Return the id of a derived result, which is the name of its folder."""
    named = {
        "kind": kind,
        "parents": [parent.sha256 for parent in parents],
        "parameters": to_jsonable(dict(parameters)),
        "data": data_fingerprint,
    }
    text = json.dumps(named, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def write_derived(runs: Path, result: DerivedResult) -> Path:
    """Write result.json of a derived result, replacing an older one; return its path."""
    path = derived_path(runs, result.derived_id)
    tree = {
        "schema": DERIVED_SCHEMA,
        "derived_id": result.derived_id,
        **asdict(result),
        **collect_provenance(),
        "finished": utc_timestamp(),
    }
    write_json(path, tree)
    return path


def read_derived(runs: Path) -> Iterator[DerivedResult]:
    """Yield the derived results of a runs folder by id; files that are cut off are left out."""
    for path in sorted(derived_folder(runs).glob("*/result.json")):
        tree = read_json(path)
        if tree is not None and tree.get("schema", DERIVED_SCHEMA + 1) <= DERIVED_SCHEMA:
            yield _from_tree(tree)


def _from_tree(tree: Mapping[str, Any]) -> DerivedResult:
    return DerivedResult(
        kind=tree["kind"],
        parents=tuple(Parent(**parent) for parent in tree["parents"]),
        parameters=tree["parameters"],
        metrics=tree["metrics"],
        selected_weights=tree["selected_weights"],
        data_fingerprint=tree["data_fingerprint"],
        facts=tree["facts"],
    )
