"""The model card of an export: how to load it, the recipe, the evidence, data and metrics."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clip_hparam.data.folders.names import listed

FORMATS = ("folder", "hf_parquet", "shards", "table")  # names of `data` that name no data set
CLASSES_WITHOUT_ACC5 = 5  # with so many classes or fewer acc5 is 100 %
LOAD_OURS = """```sh
clip-hparam predict FOLDER IMAGES --out predictions.csv
```"""
LOAD_TIMM = """```python
import timm

model = timm.create_model("local-dir:FOLDER", pretrained=True).eval()  # the whole classifier
```"""
LOAD_OPEN_CLIP = """```python
import open_clip
from safetensors.torch import load_file

open_clip.add_model_config("FOLDER/open_clip_tower.json")
tower = open_clip.create_model("open_clip_tower").visual.eval()
tower.load_state_dict(load_file("FOLDER/open_clip_tower.safetensors"))
```"""
FEATURES = {
    "patch_mean": "the mean of the normalised patch tokens",
    "cls": "the normalised class token",
    "clip": "the projected class token; the head takes it scaled to length 1",
}


def model_card(facts: Mapping[str, Any], evidence: Sequence[str] = ()) -> str:
    """Return the text of README.md. facts: clip_hparam.json. evidence: sentences on the cell."""
    return "\n".join(_lines(facts, evidence)) + "\n"


def _lines(facts: Mapping[str, Any], evidence: Sequence[str]) -> Iterator[str]:
    recipe, classes = facts["recipe"], facts["classes"]
    yield f"# {recipe['encoder.name']} fine-tuned on {_data_title(recipe['data.name'], classes)}"
    yield ""
    yield f"An image classifier of {len(classes)} classes for {recipe['resolution']} px, exported"
    yield f"by clip-hparam from the {facts['weights']} weights of the {facts['epoch']} epoch of"
    yield f"trial {facts['trial_id']}."
    yield from ("", "## Load", "", LOAD_OURS, "")
    if recipe["pool"] == "clip":
        yield "timm has no network with features of length 1 (pool=clip): there is no file for it."
    else:
        yield LOAD_TIMM
    yield from ("", LOAD_OPEN_CLIP, "")
    yield f"The features of the tower are {FEATURES[recipe['pool']]}. Its text tower is not"
    yield "trained and not used: open_clip cannot create a model without one."
    yield from ("", "## Evidence", "")
    yield from (f"{line}" for line in evidence)
    if not evidence:
        yield "One trial, which belongs to no sweep on record: there is no interval over seeds."
    yield from ("", "| metric | value |", "|---|---|")
    for name, value in sorted(facts["metrics"].items()):
        if "_acc5" not in name or len(classes) > CLASSES_WITHOUT_ACC5:
            yield f"| {name} | {_number(value)} |"
    yield from ("", "The accuracies are percentages. The selection set chose the epoch.")
    yield from ("", "## Data", "")
    yield f"Fingerprint of {recipe['data.name']}: `{recipe['data.fingerprint']}`."
    yield f"Weights before fine-tuning: `{recipe['encoder.weights']}`."
    yield from ("", f"Classes: {', '.join(classes)}.", "", "## Recipe", "", "```json")
    yield json.dumps(recipe, indent=2, ensure_ascii=False)
    yield "```"


def _data_title(name: str, classes: Sequence[str]) -> str:
    """Return the name of a data set, or of images of one's own their first classes."""
    return f"images of {listed(classes)}" if name in FORMATS else name


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"
