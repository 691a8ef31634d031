"""Whether the folders in a root are classes, or `data.root` is a level too high."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from clip_hparam.config.text.override_words import format_override
from clip_hparam.data.file_index import FileIndex
from clip_hparam.data.folders.names import listed, readable
from clip_hparam.data.folders.split_folders import visible_folders
from clip_hparam.data.folders.split_names import SplitRole, split_names

LEVELS_BELOW = 3  # ILSVRC/Data/CLS-LOC of the official archive
MOST_FOLDERS = 20  # of a folder that is searched: no folder of classes


def validate_level(
    root: Path, index: FileIndex, classes: Sequence[str], least: int, only_classes: bool
) -> None:
    """Raise ValueError for fewer classes than `least`, and for classes that hold or are splits."""
    if not only_classes and split_names(classes).is_divided:
        raise ValueError(
            f"{root} holds {listed(classes)}, which are splits, not classes:"
            f" try {root_override(root)}"
        )
    folders = folders_by_class(index)
    for name in classes:
        if split_names(folders.get(name, [])).is_divided:
            raise ValueError(
                f"{root / name} holds {listed(folders[name])}, which are splits, not parts of a"
                f" class: try {root_override(root / name)}"
            )
    if len(classes) < least:
        raise ValueError(
            f"{root} holds one class, {readable(classes[0])}, and a classifier needs two:"
            f" {_single_class_hint(root, classes[0])}"
        )


def _case_note(classes: Sequence[str]) -> tuple[str, ...]:
    """Return a sentence if classes differ in upper and lower case only."""
    first: dict[str, str] = {}
    pairs = [(first.setdefault(name.casefold(), name), name) for name in classes]
    twins = [f"{one} and {other}" for one, other in pairs if one != other]
    return (f"classes that differ only in upper and lower case: {listed(twins)}",) if twins else ()


def refuse_equal_classes(root: Path, index: FileIndex, classes: Sequence[str]) -> None:
    """Raise ValueError if the classes may be splits or years: all hold the same folders."""
    if shared := _shared_folders(index, classes):
        raise ValueError(
            f"{root} holds {listed(classes)}, and all of them hold the folders {listed(shared)}:"
            f" if those in {root} are splits, rename them train, val and test; if they are classes,"
            " type data.folders=classes"
        )


def level_notes(root: Path, index: FileIndex, classes: Sequence[str]) -> tuple[str, ...]:
    """Return notes on class folders that may not be classes.

    All hold the same folders and no image of their own, or they differ in case only.
    """
    notes = _case_note(classes)
    if not (shared := _shared_folders(index, classes)):
        return notes
    return (
        *notes,
        f"the classes are the folders in {root} ({listed(classes)}); all of them hold the"
        f" folders {listed(shared)}, which are read as parts of the classes",
    )


def _shared_folders(index: FileIndex, classes: Sequence[str]) -> list[str]:
    """Return the folders that all classes hold: two or more, beside no image; else none."""
    folders = folders_by_class(index)
    shared = set.intersection(*(set(folders.get(name, [])) for name in classes))
    direct = any(path.count("/") == 1 for path in index.paths)
    return sorted(shared) if not direct and len(shared) > 1 else []


def lower_level_hint(root: Path, index: FileIndex) -> str:
    """Return the end of a sentence for a root without class folders, else an empty text."""
    if any("/" in path for path in index.paths):
        return ""
    if is_split(root):
        return f", or move {root} elsewhere if the classes of its images are not known"
    return f", or, if {readable(root.name)} is a class, try {root_override(root.parent)}"


def folders_by_class(index: FileIndex) -> dict[str, list[str]]:
    """Return the names of the folders directly in each class folder."""
    inner: dict[str, list[str]] = {}
    for folder in index.folders:
        parts = folder.split("/")
        if len(parts) == 3:
            inner.setdefault(parts[0], []).append(parts[1])
    return inner


def is_split(folder: Path) -> bool:
    """Return whether a folder is one of the splits in its parent."""
    return folder.name in split_names(visible_folders(folder.parent)).names


def imagenet_root_hint(root: Path) -> str:
    """Return the end of a sentence with the folder near a root that holds train and val, or ""."""
    level, near = [root], [root.parent]
    for _ in range(LEVELS_BELOW):
        inner = {folder: visible_folders(folder) for folder in level}
        level = [
            folder / name
            for folder, names in inner.items()
            if len(names) <= MOST_FOLDERS
            for name in names
        ]
        near += level
    for folder in near:
        roles = split_names(visible_folders(folder))
        if roles.names_of_role(SplitRole.TRAIN) and roles.names_of_role(SplitRole.SELECTION):
            return f"; {folder} holds both: try {root_override(folder)}"
    return ""


def root_override(root: Path) -> str:
    """Return the override for a root."""
    return shlex.quote(format_override("data.root", str(root)))


def _single_class_hint(root: Path, name: str) -> str:
    """Return what to do about a single class: the folder below it that holds several."""
    deeper = root / name
    while len(inner := visible_folders(deeper)) == 1:
        deeper /= inner[0]
    if not inner:
        return f"put the images of another class into {root}/CLASS/"
    if is_split(root):
        return f"move the folders in {deeper} up into {root}"
    return f"try {root_override(deeper)}"
