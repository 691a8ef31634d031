"""The weights that a trial has kept in its folder, and the recipe that they belong to."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from torch import Tensor

from clip_hparam.config.identity import with_missing_knobs
from clip_hparam.config.recipe import Recipe, knobs, with_values
from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.config.tree import flatten_tree
from clip_hparam.model.architectures import RANDOM
from clip_hparam.model.weights_reader import read_safetensors
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.archive import open_archives
from clip_hparam.records.atomic import sha256_of
from clip_hparam.records.derived import Parent
from clip_hparam.records.paths import command_line
from clip_hparam.records.record import Record

EPOCH_OF_FILE = {"best.safetensors": "selected", "last.safetensors": "last"}
"""The epoch in the metric columns of each file that keep_checkpoints leaves, best first."""


@dataclass(frozen=True)
class KeptWeights:
    """A file of weights of a trial, with all updates merged.

    path: of the file; of a trial in an archive, where it would be.
    weights: "raw" or "ema", what the trial reports.
    when: the epoch of the file, "selected" or "last".
    """

    record: Record
    path: Path
    weights: str
    when: str

    @property
    def trial_id(self) -> str:
        return self.record.trial_id

    @cached_property
    def parent(self) -> Parent:
        """The file as a parent of derived results."""
        if self.path.is_file():
            return Parent(sha256_of(self.path), self.trial_id, self.path.name)
        return Parent(sha256(self._archived()).hexdigest(), self.trial_id, self.path.name)

    def load(self) -> dict[str, Tensor]:
        """Return the tensors by name, on the CPU. Raises ValueError for a damaged file."""
        content = self.path.read_bytes() if self.path.is_file() else self._archived()
        return read_weights(self.record, self.path.name, content)

    def _archived(self) -> bytes:
        return self.record.read(self.path.name) or b""


def read_weights(record: Record, name: str, content: bytes) -> dict[str, Tensor]:
    """Return the tensors of a file of weights that a trial has kept.

    Raises: ValueError, with the command to type, for a damaged file.
    """
    try:
        return read_safetensors(content, f"{record.folder}/{name}")
    except ValueError as error:
        why = command_line("why", record.trial_id, runs=record.folder.parent)
        raise ValueError(
            f"{error}: delete it, and run the trial again with keep_checkpoints="
            f"{name.removesuffix('.safetensors')} replay=true ({why} prints its command)"
        ) from error


@dataclass(frozen=True)
class StoredWeights(KeptWeights):
    """Kept weights whose images and pre-trained weights are still those of the record.

    recipe: resolved.
    """

    recipe: ResolvedRecipe


def find_kept(record: Record, file: str | None = None) -> KeptWeights:
    """Return the weights that a trial has kept.

    file: a key of EPOCH_OF_FILE; None: the first of them that was kept.

    Raises: ValueError, with the command to type, if the trial is not done or has kept no weights.
    """
    result = record.verified_result()
    archived = open_archives(record.folder.parent).get(record.trial_id, {})
    for name in EPOCH_OF_FILE if file is None else [file]:
        path = record.folder / name
        if result is not None and (path.is_file() or name in archived):
            return KeptWeights(record, path, result["selected_weights"], EPOCH_OF_FILE[name])
    why = command_line("why", record.trial_id, runs=record.folder.parent)
    if result is None:
        raise ValueError(f"trial {record.trial_id} is not done: {why} shows the reason")
    keep = "best" if file is None else file.partition(".")[0]
    raise ValueError(
        f"trial {record.trial_id} has kept no {'weights' if file is None else file}: run it again"
        f" with keep_checkpoints={keep} replay=true ({why} prints its command)"
    )


def read_stored(record: Record) -> StoredWeights:
    """Return the weights that a trial has kept, and its resolved recipe.

    Raises: ValueError as `find_kept` and `recorded_recipe` do.
    """
    kept = find_kept(record)
    recipe = recorded_recipe(record)
    return StoredWeights(record, kept.path, kept.weights, kept.when, recipe)


def recorded_knobs(record: Record) -> dict[str, Any]:
    """Return the knobs of a trial by dotted name. Raises ValueError if recipe.json is damaged."""
    head = record.recipe()
    if head is None:
        raise ValueError(f"{record.folder}/recipe.json is missing or damaged")
    return flatten_tree(with_missing_knobs(head["recipe"]))


def recorded_recipe(record: Record) -> ResolvedRecipe:
    """Return the resolved recipe of a record, with the places that its data were read from.

    Raises: ValueError if the images or the pretrained weights are others now, or are gone.
    """
    known = {name: value for name, value in recorded_knobs(record).items() if name in knobs()}
    if known.get("encoder.weights") == RANDOM:
        known["encoder.pretrained"] = RANDOM
    places = record.status().get("places", {})
    return resolve(with_values(Recipe(), {**known, **places}))
