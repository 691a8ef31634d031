"""The weights that a trial has kept in its folder, and the recipe that they belong to."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from torch import Tensor

from clip_hparam.config.identity import with_missing_knobs
from clip_hparam.config.recipe import Recipe, flatten_tree, knobs, with_values
from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.model.architectures import RANDOM
from clip_hparam.model.weights_reader import read_safetensors
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.archive import open_archives
from clip_hparam.records.atomic import sha256_of
from clip_hparam.records.derived import Parent
from clip_hparam.records.paths import command_line
from clip_hparam.records.record import Record

WHEN = {"best": "selected", "last": "last"}
"""The epoch in the columns of a file of weights."""


@dataclass(frozen=True)
class StoredWeights:
    """Weights of a trial, with all updates merged.

    recipe: resolved.
    path: of the file; of a trial in an archive, where it would be.
    weights: "raw" or "ema", what the trial reports.
    when: the epoch of the file, "selected" or "last".
    """

    record: Record
    recipe: ResolvedRecipe
    path: Path
    weights: str
    when: str

    @property
    def trial_id(self) -> str:
        return self.record.trial_id

    @cached_property
    def parent(self) -> Parent:
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


def read_stored(record: Record) -> StoredWeights:
    """Return the weights that a trial has kept; those of the selected epoch come first.

    Raises: ValueError, with the command to type, if the trial is not done, its images or weights
    are others now, or it has kept no weights.
    """
    result = record.verified_result()
    if result is None:
        why = command_line("why", record.trial_id, runs=record.folder.parent)
        raise ValueError(f"trial {record.trial_id} is not done: {why} says what it lacks")
    archived = open_archives(record.folder.parent).get(record.trial_id, {})
    for name, when in WHEN.items():
        path = record.folder / f"{name}.safetensors"
        if path.is_file() or path.name in archived:
            return StoredWeights(
                record, recorded_recipe(record), path, result["selected_weights"], when
            )
    why = command_line("why", record.trial_id, runs=record.folder.parent)
    raise ValueError(
        f"trial {record.trial_id} has kept no weights: run it again with keep_checkpoints=best"
        f" replay=true ({why} prints its command)"
    )


def recorded_recipe(record: Record) -> ResolvedRecipe:
    """Return the resolved recipe of a record, with the places that its data were read from.

    Raises: ValueError if the images or the pretrained weights are others now, or are gone.
    """
    tree = with_missing_knobs((record.recipe() or {}).get("recipe", {}))
    known = {name: value for name, value in flatten_tree(tree).items() if name in knobs()}
    if known.get("encoder.weights") == RANDOM:
        known["encoder.pretrained"] = RANDOM
    places = record.status().get("places", {})
    return resolve(with_values(Recipe(), {**known, **places}))
