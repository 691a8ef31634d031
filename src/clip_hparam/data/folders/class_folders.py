"""Classes of a folder: the names of its folders, and the label of each file.

Names are compared in Unicode's composed form (NFC), since file systems and archives write the same
letters in two ways. Upper and lower case are different classes.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from clip_hparam.config.knob import close_names, suggest
from clip_hparam.data.dataset import Labels
from clip_hparam.data.file_index import IMAGE_SUFFIXES, FileIndex
from clip_hparam.data.folders.class_level import lower_level_hint, validate_level
from clip_hparam.data.folders.names import normalized, readable

PACK_DATA_SETS = {
    ".tar": "data=shards if its .tar files hold images",
    ".parquet": "data=hf_parquet if its .parquet files hold images",
}
NOT_TRAINED_ON = "is not a class of the images trained on"
CLOSE_NAMES = 50  # classes up to which an unknown name is answered with all names


def classes_of(
    root: Path, index: FileIndex, least: int = 2, only_classes: bool = False
) -> tuple[str, ...]:
    """Return the sorted names of the class folders, as they are on disk.

    least: the number of classes that there must be. only_classes: also names of splits are classes.

    Raises: ValueError for an image outside a class folder, for an empty class folder, for two
    names that look the same, for folders that are splits, and for too few class folders.
    """
    for path in index.paths:
        if "/" not in path:
            raise ValueError(
                f"{root / path} is not in a class folder: move it to {root}/CLASS/"
                f"{lower_level_hint(root, index)}"
            )
    filled = {path.partition("/")[0] for path in index.paths}
    folders = {folder.partition("/")[0] for folder in index.folders} - {""}
    for name in sorted(folders - filled):
        raise ValueError(_empty_message(root / name, index.ignored.get(name, {})))
    if not filled:
        raise ValueError(
            f"{root} holds no class folders: images are read from {root}/CLASS/{_pack_hint(index)}"
        )
    _refuse_twins(root, filled)
    validate_level(root, index, sorted(filled), least, only_classes)
    return tuple(sorted(filled))


def _pack_hint(index: FileIndex) -> str:
    """Return the end of a sentence for a folder of files that hold images, else an empty text."""
    suffixes = {suffix for counts in index.ignored.values() for suffix in counts}
    hints = [hint for suffix, hint in PACK_DATA_SETS.items() if suffix in suffixes]
    return f", or type {hints[0]}" if hints else ""


def refuse_unknown_classes(
    folder: Path, names: Iterable[str], classes: Sequence[str], rule: str = NOT_TRAINED_ON
) -> None:
    """Raise ValueError for a class folder that is not one of the classes.

    rule: middle of the sentence, such as "is a class that train does not have".
    """
    known = {normalized(name) for name in classes}
    for name in names:
        if normalized(name) not in known:
            raise ValueError(f"{folder / readable(name)} {rule}: {_similar_class(name, classes)}")


def single_image_message(folder: Path) -> str:
    """Return the sentence about a class folder of which no image would be left to test on."""
    return f"{folder} holds one image, and a class needs two: one for the test"


def missing_classes(names: Iterable[str], classes: Sequence[str]) -> list[str]:
    """Return the classes that have no folder."""
    present = {normalized(name) for name in names}
    return [name for name in classes if normalized(name) not in present]


def labels_of(index: FileIndex, classes: Sequence[str]) -> Labels:
    """Return the label of each path, int64, shape (n,)."""
    label_of = {normalized(name): label for label, name in enumerate(classes)}
    folders = [path.partition("/")[0] for path in index.paths]
    by_folder = {folder: label_of[normalized(folder)] for folder in set(folders)}
    return np.array([by_folder[folder] for folder in folders], np.int64)


def _refuse_twins(root: Path, names: Iterable[str]) -> None:
    """Raise ValueError for two names that differ only in how their letters are encoded."""
    seen: dict[str, str] = {}
    for name in sorted(names):
        twin = seen.setdefault(normalized(name).strip(), name)
        if twin != name:
            raise ValueError(
                f"{root} holds two class folders whose names look the same, {twin!a} and"
                f" {name!a}: give one of them another name, or put their images into one"
            )


def _empty_message(folder: Path, ignored: Mapping[str, int]) -> str:
    suffixes = ", ".join(IMAGE_SUFFIXES)
    if not ignored:
        return f"{folder} holds no image: they end in {suffixes}; put images there, or remove it"
    return (
        f"{folder} holds no image: they end in {suffixes}, and its files in {', '.join(ignored)};"
        " convert these, or remove the folder"
    )


def _similar_class(name: str, classes: Sequence[str]) -> str:
    for known in classes:
        if normalized(known).casefold() == normalized(name).casefold():
            return f"upper and lower case count, did you mean {readable(known)}?"
    if len(classes) <= CLOSE_NAMES:
        names = [readable(known) for known in classes]
        remove = "" if close_names(name, names) else ", or remove the folder"
        return f"{suggest(name, names)}{remove}"
    return "remove the folder, or add the class"
