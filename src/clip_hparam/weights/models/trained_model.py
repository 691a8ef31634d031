"""A classifier that is ready to predict, and the one that a trial has left in its folder."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile

import numpy as np
from torch import Tensor, nn

from clip_hparam.config.identity import with_missing_knobs
from clip_hparam.config.recipe import flatten_tree
from clip_hparam.model.architectures import model_config
from clip_hparam.model.classifier import Classifier, set_drop_path, set_resolution
from clip_hparam.model.tower import create_tower
from clip_hparam.model.weights_reader import without_wrappers
from clip_hparam.records.paths import command_line
from clip_hparam.records.record import Record
from clip_hparam.weights.stored import read_weights

WEIGHT_FILES = ("best.safetensors", "last.safetensors")
"""Weights that keep_checkpoints leaves in the folder of a trial, the preferred ones first."""
EPOCH_OF_FILE = {"best.safetensors": "selected", "last.safetensors": "last"}


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A classifier in evaluation mode, and what images it takes.

    module: maps normalised images, float32, (b, 3, r, r), to logits, (b, classes).
    classes: their names; empty if they are not known.
    pixels: key of NORMALIZATIONS. interpolation: of the resize.
    origin: what the user typed. sha256: of the weights.
    weights, epoch: "raw" or "ema", and "selected" or "last", of the metric columns.
    """

    module: nn.Module
    classes: tuple[str, ...]
    resolution: int
    pixels: str
    interpolation: str
    origin: str
    sha256: str
    trial_id: str = ""
    weights: str = "raw"
    epoch: str = "selected"


def kept_weights(record: Record) -> str | None:
    """Return the name of the file of weights that a trial keeps, None if there is none."""
    return next((name for name in WEIGHT_FILES if record.read(name) is not None), None)


def trial_recipe(record: Record) -> dict[str, Any]:
    """Return the knobs of a trial by dotted name. Raises ValueError if recipe.json is missing."""
    head = record.recipe()
    if head is None:
        raise ValueError(f"{record.folder}/recipe.json is missing or damaged")
    return flatten_tree(with_missing_knobs(head["recipe"]))


def load_trial(record: Record, file: str | None = None) -> TrainedModel:
    """Return the classifier of a trial that is done.

    file: one of WEIGHT_FILES; None: the first of them that was kept.

    Raises: ValueError for a trial that is not done, or whose weights were not kept.
    """
    result, name = record.verified_result(), file or kept_weights(record)
    if result is None or name is None:
        lacks = "is not done" if result is None else "has kept no weights"
        why = command_line("why", record.trial_id, runs=record.folder.parent)
        advice = "" if result is None else ": run it again with keep_checkpoints=best replay=true"
        raise ValueError(f"trial {record.trial_id} {lacks}{advice} ({why} prints its command)")
    content, knobs = record.read(name) or b"", trial_recipe(record)
    classes = recorded_classes(record)
    state = read_weights(record, name, content)
    return TrainedModel(
        create_classifier(knobs, state),
        classes or tuple(map(str, range(len(state["head.weight"])))),
        knobs["resolution"],
        knobs["encoder.pixels"],
        knobs["interpolation"],
        record.trial_id,
        hashlib.sha256(content).hexdigest(),
        record.trial_id,
        result["selected_weights"],
        EPOCH_OF_FILE[name],
    )


def create_classifier(knobs: Mapping[str, Any], state: Mapping[str, Tensor]) -> Classifier:
    """Return a classifier of a recipe in evaluation mode with these weights."""
    tower = create_tower(model_config(knobs["encoder.name"]))
    model = Classifier(tower, len(state["head.weight"]), knobs["pool"])
    set_resolution(model, knobs["resolution"])
    set_drop_path(model, knobs.get("drop_path", 0.0))  # renames parameters of layer scale
    model.load_state_dict({_plain_name(name): tensor for name, tensor in state.items()})
    return model.eval()


def _plain_name(name: str) -> str:
    """Return a name without the parts that torch.compile inserts."""
    return ".".join(without_wrappers(name))


def recorded_classes(record: Record) -> tuple[str, ...]:
    """Return the class names of a trial; empty for early records, which lack them."""
    content = record.read("correct.npz")
    if content is None:
        return ()
    try:
        with np.load(io.BytesIO(content)) as arrays:
            names: Sequence[str] = arrays["classes"].tolist() if "classes" in arrays else ()
            return tuple(map(str, names))
    except (
        ValueError,
        OSError,
        EOFError,
        BadZipFile,
    ) as error:  # no archive, or one with a pickle in it
        raise ValueError(f"{record.folder}/correct.npz is damaged ({error})") from error
