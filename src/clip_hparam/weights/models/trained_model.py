"""A classifier that is ready to predict, and the one that a trial has left in its folder."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile

import numpy as np
from torch import Tensor, nn

from clip_hparam.model.architectures import model_config
from clip_hparam.model.classifier import Classifier, set_drop_path, set_resolution
from clip_hparam.model.tower import create_tower
from clip_hparam.model.weights_reader import without_wrappers
from clip_hparam.records.record import Record
from clip_hparam.weights.stored import find_kept, recorded_knobs


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A classifier in evaluation mode, with the size and normalisation of its images.

    module: maps normalised images, float32, (b, 3, r, r), to logits, (b, classes).
    classes: their names; empty if they are not known.
    pixels: key of NORMALIZATIONS. interpolation: of the resize.
    origin: what the user typed. sha256: of the weights.
    weights, epoch: "raw" or "ema", and "selected" or "last", of the metric columns.
    prompts: `data.prompts` of a head that is made of words for an evaluation.
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
    prompts: str = "default"


def load_trial(record: Record, file: str | None = None) -> TrainedModel:
    """Return the classifier of a trial that is done.

    file: a key of EPOCH_OF_FILE; None: the first of them that was kept.

    Raises: ValueError for a trial that is not done, or whose weights were not kept.
    """
    kept = find_kept(record, file)
    state, knobs = kept.load(), recorded_knobs(record)
    return TrainedModel(
        create_classifier(knobs, state),
        recorded_classes(record) or tuple(map(str, range(len(state["head.weight"])))),
        knobs["resolution"],
        knobs["encoder.pixels"],
        knobs["interpolation"],
        record.trial_id,
        kept.parent.sha256,
        record.trial_id,
        kept.weights,
        kept.when,
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
    """Return the class names of a trial; empty for early records, which lack them.

    Raises: ValueError for a damaged file.
    """
    content = record.read("correct.npz")
    if content is None:
        return ()
    try:
        with np.load(io.BytesIO(content)) as arrays:
            names: Sequence[str] = arrays["classes"].tolist() if "classes" in arrays else ()
            return tuple(map(str, names))
    except (ValueError, OSError, EOFError, BadZipFile) as error:  # no archive, or a pickle in it
        raise ValueError(f"{record.folder}/correct.npz is damaged ({error})") from error
