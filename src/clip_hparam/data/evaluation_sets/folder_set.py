"""An evaluation set of images in class folders."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from clip_hparam.data.dataset import EvalSet, ImageDataset, ImageFiles, Indices
from clip_hparam.data.evaluation_sets.description import ALL, SetDescription, describe_set
from clip_hparam.data.folders.class_folders import refuse_unknown_classes
from clip_hparam.data.folders.labelled_folder import LabelledFolder, read_labelled_folder
from clip_hparam.data.folders.names import listed, normalized


def load_folder_set(name: str, path: str, dataset: ImageDataset) -> EvalSet:
    """Return the set of the word NAME:PATH of `eval_sets`, for the classes of a data set.

    Raises: ValueError for folders that are no classes, or a set without an image of a class;
    FileNotFoundError if there is nothing at the path.
    """
    official = isinstance(dataset.train, ImageFiles) and dataset.train.official
    return _load(name, path, dataset.classes, official)


@cache
def _load(name: str, path: str, classes: tuple[str, ...], official: bool) -> EvalSet:
    described = describe_set(name, path)
    folder = read_labelled_folder(described.root, official, least=1)
    files = replace(folder.files, border=described.border)
    if described.zero_shot:
        labels = folder.labels(folder.classes)
        prints = _fingerprint(folder, described, folder.classes)
        names = folder.classes
        return EvalSet(files, labels, class_names=names, zero_shot=True, fingerprint=prints)
    groups = _groups_of_folders(name, folder, described, classes)
    kept = [label for label, folder_name in enumerate(folder.classes) if folder_name in groups]
    if not kept:
        raise ValueError(
            f"eval_sets={name}:{path}: none of the {len(folder.classes)} folders"
            f" ({listed(folder.classes)}) is a class of the images trained on"
        )
    own = folder.labels(folder.classes)
    number = np.full(len(folder.classes), -1)
    number[kept] = np.arange(len(kept))
    members: Indices = np.flatnonzero(number[own] >= 0)
    members_of = [groups[folder.classes[label]] for label in kept]
    names = tuple(folder.classes[label] for label in kept)
    class_groups, names = _class_groups(members_of, names, classes, described)
    prints = _fingerprint(folder, described, names)
    labels = number[own[members]]
    return EvalSet(
        files[members], labels, class_groups=class_groups, class_names=names, fingerprint=prints
    )


def _groups_of_folders(
    name: str, folder: LabelledFolder, described: SetDescription, classes: Sequence[str]
) -> dict[str, list[int]]:
    """Return the labels of the classes that each folder counts as; unmapped ones are left out.

    Raises: ValueError for a folder, or a class of the map, that is not known.
    """
    label_of = {normalized(class_name): label for label, class_name in enumerate(classes)}
    mapping = described.class_map
    if mapping is None:
        mapping = {class_name: (class_name,) for class_name in folder.classes}
    if described.class_map is None and not described.subset_of_imagenet:
        refuse_unknown_classes(folder.root, folder.classes, classes)
    groups: dict[str, list[int]] = {}
    for class_name in folder.classes:
        known = [label_of.get(normalized(wanted), -1) for wanted in mapping.get(class_name, ())]
        if -1 in known and not described.subset_of_imagenet:
            unknown = mapping[class_name][known.index(-1)]
            raise ValueError(
                f"eval_sets={name}: the class_map gives {class_name} the class {unknown}, which the"
                f" images trained on do not have: choose from {listed(classes)}"
            )
        if known and -1 not in known:
            groups[class_name] = known
    _refuse_shared_classes(name, groups, classes)
    return groups


def _refuse_shared_classes(name: str, groups: dict[str, list[int]], classes: Sequence[str]) -> None:
    """Raise ValueError if two folders count as the same class."""
    owner: dict[int, str] = {}
    for folder, labels in groups.items():
        for label in labels:
            other = owner.setdefault(label, folder)
            if other != folder:
                raise ValueError(
                    f"eval_sets={name}: the folders {other} and {folder} both count as class"
                    f" {classes[label]}: leave one of them out of the class_map"
                )


def _class_groups(
    members: Sequence[Sequence[int]],
    names: tuple[str, ...],
    classes: Sequence[str],
    described: SetDescription,
) -> tuple[Indices, tuple[str, ...]]:
    """Return the group of each class, and the names of the groups.

    With `classes: all` the classes that the set lacks are groups of their own.
    """
    groups: Indices = np.full(len(classes), -1)
    for number, labels in enumerate(members):
        groups[list(labels)] = number
    if described.mask == ALL:
        others = np.flatnonzero(groups < 0)
        groups[others] = len(members) + np.arange(len(others))
        names += tuple(classes[int(label)] for label in others)
    return groups, names


def _fingerprint(folder: LabelledFolder, described: SetDescription, names: Sequence[str]) -> str:
    mapping = sorted((described.class_map or {}).items())
    rules = (folder.identity, described.mask, described.border, described.zero_shot, mapping)
    return hashlib.sha256(repr((*rules, list(names))).encode()).hexdigest()
