"""Whether the folders in a root are classes, or `data.root` is a level too high."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from clip_hparam.data.file_index import FileIndex
from clip_hparam.data.folders.names import listed, readable
from clip_hparam.data.folders.split_folders import visible_folders
from clip_hparam.data.folders.split_names import plain_role, split_names


def validate_level(root: Path, index: FileIndex, classes: Sequence[str], least: int) -> None:
    """Raise ValueError for fewer classes than `least`, and for classes that hold or are splits."""
    if split_names(classes).is_divided:
        raise ValueError(
            f"{root} holds {listed(classes)}, which are splits and no classes:"
            f" try {root_override(root)}"
        )
    folders = folders_by_class(index)
    for name in classes:
        if split_names(folders.get(name, [])).is_divided:
            raise ValueError(
                f"{root / name} holds {listed(folders[name])}, which are splits and no part of a"
                f" class: try {root_override(root / name)}"
            )
    if len(classes) < least:
        raise ValueError(
            f"{root} holds one class, {readable(classes[0])}, and a classifier needs two:"
            f" {_single_class_hint(root, classes[0])}"
        )


def level_note(root: Path, index: FileIndex, classes: Sequence[str]) -> tuple[str, ...]:
    """Return a sentence if all classes hold the same folders and no image of their own."""
    folders = folders_by_class(index)
    shared = set.intersection(*(set(folders.get(name, [])) for name in classes))
    direct = any(path.count("/") == 1 for path in index.paths)
    if direct or len(shared) < 2:
        return ()
    return (
        f"the classes are the folders in {root} ({listed(classes)}); all of them hold the"
        f" folders {listed(sorted(shared))}, which are read as parts of the classes",
    )


def folders_by_class(index: FileIndex) -> dict[str, list[str]]:
    """Return the names of the folders directly in each class folder."""
    inner: dict[str, list[str]] = {}
    for folder in index.folders:
        parts = folder.split("/")
        if len(parts) == 3:
            inner.setdefault(parts[0], []).append(parts[1])
    return inner


def root_override(root: Path) -> str:
    """Return what to type for a root."""
    return shlex.quote(f"data.root={root}")


def _single_class_hint(root: Path, name: str) -> str:
    """Return what to do about a single class: the folder below it that holds several."""
    deeper = root / name
    while len(inner := visible_folders(deeper)) == 1:
        deeper /= inner[0]
    if not inner:
        return f"put the images of another class into {root}/CLASS/"
    if plain_role(root.name):
        return f"move the folders in {deeper} up into {root}"
    return f"try {root_override(deeper)}"
