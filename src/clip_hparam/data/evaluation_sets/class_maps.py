"""Class maps: which classes of the data set a folder of an evaluation set counts as."""

import csv
import json
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ClassMap = Mapping[str, tuple[str, ...]]
"""Class names by folder; several names where each of them is a correct prediction."""
SEPARATOR = ";"
FORM = "it holds a line FOLDER,CLASS for each folder, or FOLDER,CLASS;CLASS for several"
OBJECTNET_FILES = (
    "folder_to_objectnet_label.json",
    "objectnet_to_imagenet_1k.json",
    "pytorch_to_imagenet_2012_id.json",
    "imagenet_to_label_2012_v2",
)


def read_class_map(file: Path) -> ClassMap:
    """Return the map of a CSV file of lines FOLDER,CLASS, or of a JSON file {FOLDER: CLASS}.

    Raises: FileNotFoundError if there is no file, ValueError for another content.
    """
    if not file.is_file():
        raise FileNotFoundError(f"class_map: {file} is not a file: {FORM}")
    try:
        text = file.read_text(encoding="utf-8-sig")
        pairs = _json_pairs(text) if file.suffix == ".json" else _csv_pairs(text)
    except (TypeError, ValueError, csv.Error):
        raise ValueError(f"class_map: {file} cannot be read: {FORM}") from None
    mapping: dict[str, tuple[str, ...]] = {}
    for folder, names in pairs:
        if folder in mapping:
            raise ValueError(f"class_map: {file} names the folder {folder} twice: keep one line")
        mapping[folder] = names
    if not mapping:
        raise ValueError(f"class_map: {file} is empty: {FORM}")
    return mapping


def _csv_pairs(text: str) -> list[tuple[str, tuple[str, ...]]]:
    rows = [row for row in csv.reader(text.splitlines()) if row and not row[0].startswith("#")]
    if any(len(row) != 2 or not row[1].strip() for row in rows):
        raise ValueError
    pairs = [(folder.strip(), _names(classes)) for folder, classes in rows]
    return pairs[1:] if pairs and pairs[0] == ("folder", ("class",)) else pairs


def _json_pairs(text: str) -> list[tuple[str, tuple[str, ...]]]:
    tree = json.loads(text)
    if not isinstance(tree, dict):
        raise TypeError
    return [(folder, _names(classes)) for folder, classes in tree.items()]


def _names(classes: Any) -> tuple[str, ...]:
    parts = classes.split(SEPARATOR) if isinstance(classes, str) else classes
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise ValueError(classes)
    return tuple(part.strip() for part in parts if part.strip())


@cache
def imagenet_classes() -> tuple[str, ...]:
    """Return the WordNet ids of ImageNet's 1,000 classes in their official order, from timm."""
    spec = find_spec("timm")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("timm is not installed: pip install timm")
    folder = Path(spec.submodule_search_locations[0]) / "data" / "_info"
    return tuple((folder / "imagenet_synsets.txt").read_text().split())


def imagenet_index_map() -> ClassMap:
    """Return the map of ImageNet-V2, whose folders 0 to 999 are class indices."""
    return {str(index): (name,) for index, name in enumerate(imagenet_classes())}


def objectnet_map(mappings: Path) -> ClassMap:
    """Return the map of ObjectNet's 113 classes of ImageNet from its own folder `mappings`.

    Source: WiSE-FT's evaluation of ObjectNet, which also counts each of several classes.

    Raises: FileNotFoundError if a file is missing, ValueError for another content.
    """
    for name in OBJECTNET_FILES:
        if not (mappings / name).is_file():
            raise FileNotFoundError(
                f"{mappings / name} is missing: eval_sets=[objectnet:PATH] reads PATH/images and"
                " PATH/mappings, as objectnet-1.0.zip holds them"
            )
    labels, classes, ids = (
        json.loads((mappings / name).read_text(encoding="utf-8")) for name in OBJECTNET_FILES[:3]
    )
    lines = (mappings / OBJECTNET_FILES[3]).read_text(encoding="utf-8").splitlines()
    try:
        index_of_line = {int(line): int(index) for index, line in ids.items()}
        index_of = {text.strip(): index_of_line[i] for i, text in enumerate(lines) if text.strip()}
        folder_of = {label: folder for folder, label in labels.items()}
        return {
            folder_of[label]: tuple(imagenet_classes()[index_of[n]] for n in names.split("; "))
            for label, names in classes.items()
        }
    except (KeyError, ValueError, IndexError, AttributeError) as error:
        raise ValueError(
            f"{mappings}: its files do not fit each other ({error}): unpack objectnet-1.0.zip again"
        ) from None
