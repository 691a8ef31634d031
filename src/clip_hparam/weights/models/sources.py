"""Find the classifier that a text on the command line means.

TRIAL                    the weights that a trial has kept
runs/TRIAL/last.safetensors   a certain file of them
FOLDER                   an export, or a folder of timm with a config.json
open_clip:NAME:PRETRAINED     zero-shot CLIP; PRETRAINED as `encoder.pretrained`
timm:NAME, timm:NAME:FILE     a classifier of timm, with its published or with given weights
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from clip_hparam.config.recipe import Data, Encoder
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.prompts.recipe_prompts import identity_of_prompts, prompts_of
from clip_hparam.model.architectures import shape_of
from clip_hparam.model.classifier import Classifier, set_head
from clip_hparam.model.normalization import NORMALIZATIONS
from clip_hparam.model.tower import build_tower
from clip_hparam.model.weights_identity import normalization_of, weights_sha256
from clip_hparam.model.zero_shot_head import head_weights
from clip_hparam.records.manifests.lookup import find_trial_id
from clip_hparam.records.record import Record, trial_ids
from clip_hparam.training.ranks.agreement import state_dict_sha256
from clip_hparam.weights.models.export import is_export, load_export
from clip_hparam.weights.models.trained_model import TrainedModel, load_trial
from clip_hparam.weights.stored import EPOCH_OF_FILE

OPEN_CLIP, TIMM = "open_clip", "timm"
TIMM_SOURCES = ("local-dir:", "hf-hub:", "hf_hub:")  # names of timm with a colon
SOURCES = "a trial, an exported folder, open_clip:NAME:PRETRAINED, timm:NAME or timm:NAME:FILE"


def load_model(text: str, runs: Path, data: Data | None = None) -> TrainedModel:
    """Return the classifier that a text means, see the docstring of the module.

    data: the data set whose class names make the head of an open_clip model.

    Raises: ValueError or FileNotFoundError for a text that means none, with what to type.
    """
    source, _, rest = text.partition(":")
    if source == OPEN_CLIP:
        return _zero_shot(text, rest, data)
    if source == TIMM:
        if rest.startswith(TIMM_SOURCES):
            return _timm(text, rest, "")
        name, _, file = rest.partition(":")
        return _timm(text, name, file)
    path = Path(text).expanduser()
    if path.is_dir():
        return _folder(path)
    if path.is_file():
        return _file(path)
    trial = find_trial_id(trial_ids(runs), text)
    if trial is None:
        raise ValueError(f"{text} is neither a trial in {runs} nor a file: name {SOURCES}")
    return load_trial(Record(runs, trial))


def _folder(path: Path) -> TrainedModel:
    if is_export(path):
        return load_export(path)
    if (path / "recipe.json").is_file():
        return load_trial(Record(path.parent, path.name))
    if (path / "config.json").is_file():
        return _timm(str(path), f"local-dir:{path}", "")
    raise ValueError(f"{path} holds neither clip_hparam.json nor config.json: name {SOURCES}")


def _file(path: Path) -> TrainedModel:
    if path.name in EPOCH_OF_FILE and (path.parent / "recipe.json").is_file():
        return load_trial(
            Record(path.absolute().parent.parent, path.absolute().parent.name), path.name
        )
    raise ValueError(
        f"{path} is not the file of a trial, and does not say its architecture: type"
        f" open_clip:NAME:{path} or timm:NAME:{path}"
    )


def _zero_shot(text: str, rest: str, data: Data | None) -> TrainedModel:
    name, _, pretrained = rest.partition(":")
    if not pretrained:
        raise ValueError(f"{text} names no weights: type open_clip:NAME:PRETRAINED")
    if data is None:
        raise ValueError(
            f"{text} needs class names for its head: use it with `clip-hparam evaluate {text}` and"
            " the data, such as data=cifar10"
        )
    encoder = Encoder(name=name, pretrained=pretrained)
    classes = load_dataset(data).classes
    resolution = shape_of(name).resolution
    sha256, pixels = weights_sha256(encoder), normalization_of(encoder)
    weights = head_weights(encoder, prompts_of(data, name, classes))
    model = Classifier(build_tower(encoder), len(classes), "clip")
    set_head(model, weights)
    trained = TrainedModel(model.eval(), classes, resolution, pixels, "bicubic", text, sha256)
    return replace(trained, prompts=identity_of_prompts(data, name, classes))


def _timm(text: str, name: str, file: str) -> TrainedModel:
    import timm  # lazy: for this source only
    from timm.data.config import resolve_data_config

    try:
        checkpoint = {"checkpoint_path": file} if file else {"pretrained": True}
        module = timm.create_model(name, **checkpoint).eval()
    except Exception as error:  # from the hub, a file or an unknown name
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"{text} cannot be loaded ({type(error).__name__}: {reason}): try timm:NAME:FILE"
        ) from error
    images: dict[str, Any] = resolve_data_config({}, model=module)  # type: ignore[no-untyped-call]
    _, height, width = images["input_size"]
    statistics = tuple(images["mean"]), tuple(images["std"])
    pixels = [key for key, known in NORMALIZATIONS.items() if known == statistics]
    if height != width or not pixels or not module.num_classes:
        problem = "has no head" if not module.num_classes else f"takes images as {images}"
        raise ValueError(f"{text} {problem}, which cannot be evaluated here: name another model")
    names = vars(module)["pretrained_cfg"].get("label_names") or ()
    interpolation = images["interpolation"]
    sha256 = state_dict_sha256([module])
    return TrainedModel(module, tuple(names), height, pixels[0], interpolation, text, sha256)
