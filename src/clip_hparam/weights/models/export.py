"""Write the classifier of a trial to a folder that timm, open_clip and `predict` read.

    FOLDER/clip_hparam.json                 recipe, classes, metrics and provenance; EXPORT_FORMAT
           open_clip_tower.json, .safetensors   the image tower, for open_clip
           head.safetensors                 weight and bias of the head
           config.json, model.safetensors   the whole classifier, for timm; not with pool=clip
           README.md                        the model card

`clip_hparam.json` is written last: a folder without it is an export that was cut off.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save
from torch import Tensor

from clip_hparam.model.classifier import Classifier
from clip_hparam.records.atomic import read_json, write_atomic, write_json
from clip_hparam.records.record import Record
from clip_hparam.weights.models.model_card import model_card
from clip_hparam.weights.models.open_clip_tower import classifier_state, tower_config, tower_state
from clip_hparam.weights.models.timm_classifier import timm_config, timm_state
from clip_hparam.weights.models.trained_model import TrainedModel, create_classifier, load_trial
from clip_hparam.weights.stored import recorded_knobs

EXPORT_FORMAT = 1
FACTS, TOWER, HEAD = "clip_hparam.json", "open_clip_tower", "head.safetensors"


def export_trial(record: Record, folder: Path, evidence: Sequence[str] = ()) -> list[Path]:
    """Write the export of a trial and return its files.

    evidence: sentences about the trial's cell, for the model card.

    Raises: ValueError for a folder that holds other files, and as `load_trial` does.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} is there already: name another folder with --to, or remove it")
    trained, knobs = load_trial(record), recorded_knobs(record)
    assert isinstance(trained.module, Classifier)
    folder.mkdir(parents=True, exist_ok=True)
    state = tower_state(trained.module)
    config = tower_config(knobs["encoder.name"], knobs["pool"], knobs["resolution"])
    write_json(folder / f"{TOWER}.json", config)
    _write_tensors(folder / f"{TOWER}.safetensors", state)
    _write_tensors(folder / HEAD, trained.module.head.state_dict())
    if knobs["pool"] != "clip":
        renamed = timm_state(trained.module)
        write_json(folder / "config.json", timm_config(knobs, trained.classes, renamed))
        _write_tensors(folder / "model.safetensors", renamed)
    facts = export_facts(record, trained, knobs)
    write_atomic(folder / "README.md", model_card(facts, evidence).encode())
    write_json(folder / FACTS, facts)
    return sorted(folder.iterdir())


def export_facts(record: Record, trained: TrainedModel, knobs: dict[str, Any]) -> dict[str, Any]:
    """Return the content of clip_hparam.json."""
    result = record.result() or {}
    ending = f".{trained.weights}.{trained.epoch}"
    return {
        "format": EXPORT_FORMAT,
        "trial_id": record.trial_id,
        "weights": trained.weights,
        "epoch": trained.epoch,
        "sha256": trained.sha256,
        "classes": list(trained.classes),
        "recipe": knobs,
        "metrics": {
            name: value
            for name, value in result.get("metrics", {}).items()
            if name.endswith(ending)
        },
        "versions": result.get("versions", {}),
        "git": result.get("git", {}),
    }


def load_export(folder: Path) -> TrainedModel:
    """Return the classifier of an exported folder. Raises ValueError for one that is cut off."""
    facts = read_json(folder / FACTS)
    if facts is None or facts.get("format") != EXPORT_FORMAT:
        raise ValueError(
            f"{folder}/{FACTS} is missing, damaged or of a newer version: export again"
        )
    knobs = facts["recipe"]
    try:
        tower, head = load_file(folder / f"{TOWER}.safetensors"), load_file(folder / HEAD)
    except Exception as error:  # the parser raises its own types
        raise ValueError(f"{folder} is damaged ({error}): export again") from error
    state = classifier_state(tower, head, knobs["pool"])
    return TrainedModel(
        create_classifier({**knobs, "drop_path": 0.0}, state),
        tuple(facts["classes"]),
        knobs["resolution"],
        knobs["encoder.pixels"],
        knobs["interpolation"],
        str(folder),
        facts["sha256"],
        facts["trial_id"],
        facts["weights"],
        facts["epoch"],
    )


def is_export(folder: Path) -> bool:
    """Return whether a folder is an export."""
    return (folder / FACTS).is_file() or (folder / f"{TOWER}.safetensors").is_file()


def _write_tensors(path: Path, state: dict[str, Tensor]) -> None:
    tensors = {name: tensor.detach().contiguous() for name, tensor in state.items()}
    write_atomic(path, save(tensors, metadata={"format": "pt"}))
