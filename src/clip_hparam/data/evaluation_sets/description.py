"""Where an evaluation set is and how its folders map to classes: known layouts, or a YAML file."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from clip_hparam.config.knob import suggest
from clip_hparam.data.evaluation_sets.class_maps import (
    ClassMap,
    imagenet_index_map,
    objectnet_map,
    read_class_map,
)

KEYS = ("root", "class_map", "classes", "border", "zero_shot")
DESCRIPTION_SUFFIXES = (".yaml", ".yml")
CONTAINED, ALL = "contained", "all"


@dataclass(frozen=True)
class SetDescription:
    """An evaluation set in class folders.

    root: folder of the class folders.
    class_map: classes of each folder; None: the folders are named by classes.
    mask: classes that may be predicted: "contained" (those of the set) or "all".
    subset_of_imagenet: folders of ImageNet classes that are not trained on are left out.
    border: px that are cut off at each side.
    zero_shot: classes are predicted by CLIP's text tower from the names of the folders.
    """

    root: Path
    class_map: ClassMap | None = None
    mask: str = CONTAINED
    subset_of_imagenet: bool = False
    border: int = 0
    zero_shot: bool = False


def _objectnet(root: Path) -> SetDescription:
    # The images have a red border. Source: WiSE-FT's evaluation of ObjectNet cuts off 2 px.
    mapping = objectnet_map(root / "mappings")
    return SetDescription(root / "images", mapping, subset_of_imagenet=True, border=2)


def _imagenet_v2(root: Path) -> SetDescription:
    return SetDescription(root, imagenet_index_map(), subset_of_imagenet=True)


def _wordnet_folders(root: Path) -> SetDescription:
    return SetDescription(root, subset_of_imagenet=True)


LAYOUTS: dict[str, Callable[[Path], SetDescription]] = {
    "imagenet_v2": _imagenet_v2,
    "imagenet_r": _wordnet_folders,
    "imagenet_a": _wordnet_folders,
    "imagenet_sketch": _wordnet_folders,
    "objectnet": _objectnet,
}
"""Published layouts by the name of the set; a set of another name has folders named by classes."""


def describe_set(name: str, path: str) -> SetDescription:
    """Return the description of the word NAME:PATH of `eval_sets`.

    Raises: FileNotFoundError if there is nothing at the path, ValueError for a wrong description.
    """
    place = Path(path).expanduser()
    if place.suffix in DESCRIPTION_SUFFIXES and place.is_file():
        return _read_description(name, place.resolve())
    if not place.is_dir():
        raise FileNotFoundError(
            f"eval_sets={name}:{path} is neither a folder nor a description that ends in .yaml:"
            f" type eval_sets=[{name}:PATH], where PATH holds folders named by classes"
        )
    return LAYOUTS.get(name, SetDescription)(place.resolve())


def _read_description(name: str, file: Path) -> SetDescription:
    tree = _load_yaml(file)
    for key in tree:
        if key not in KEYS:
            raise ValueError(f"{file}: unknown key {key}: {suggest(str(key), KEYS)}")
    root = (file.parent / str(tree.get("root", ""))).resolve()
    if "root" not in tree or not root.is_dir():
        raise FileNotFoundError(f"{file}: root must name the folder of the images, and {root} is"
                                " none: write root: PATH")  # fmt: skip
    described = LAYOUTS.get(name, SetDescription)(root)
    if "class_map" in tree:
        mapping = read_class_map(file.parent / str(tree["class_map"]))
        described = replace(described, class_map=mapping)
    mask, border, zero_shot = (
        tree.get("classes", described.mask),
        tree.get("border", described.border),
        tree.get("zero_shot", False),
    )
    if mask not in (CONTAINED, ALL) or type(border) is not int or border < 0:
        raise ValueError(
            f"{file}: classes is {CONTAINED} or {ALL}, and border a number of px: write for"
            f" example classes: {CONTAINED}"
        )
    if not isinstance(zero_shot, bool) or (zero_shot and described.class_map is not None):
        raise ValueError(
            f"{file}: zero_shot is true or false, and goes without a class_map: leave one out"
        )
    return replace(described, mask=mask, border=border, zero_shot=zero_shot)


def _load_yaml(file: Path) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ValueError(
            f"{file} is not a YAML file: write root: PATH, and class_map: FILE"
        ) from None
    if not isinstance(tree, dict):
        raise ValueError(f"{file} holds no keys: write root: PATH, and class_map: FILE")
    return tree
