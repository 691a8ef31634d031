"""The split folders in a root, or the reason why they are not clear."""

import os
from dataclasses import dataclass
from pathlib import Path

from clip_hparam.data.file_index import IMAGE_SUFFIXES
from clip_hparam.data.folders.names import listed
from clip_hparam.data.folders.split_names import SplitNames, SplitRole, split_names
from clip_hparam.data.folders.suspected_splits import suspected_roles


@dataclass(frozen=True)
class SplitFolders:
    """Folders of the splits.

    train: the root itself, where it holds no split folders.
    selection, test: None where there is no such folder.
    notes: sentences about choices that a user may not expect.
    """

    train: Path
    selection: Path | None = None
    test: Path | None = None
    notes: tuple[str, ...] = ()


def find_splits(root: Path) -> SplitFolders:
    """Return the splits of a folder of images.

    Without a test folder the selection folder is the test set, as in ImageNet.

    Raises: ValueError if folders are named like splits and their use is not clear, or if two or
    three folders all look like splits and do not have their usual names.
    """
    folders = visible_folders(root)
    names = split_names(folders)
    _refuse_suspected(root, names)
    if not names:
        return SplitFolders(root)
    _refuse_unclear(root, names)
    train = _only_folder(root, names, SplitRole.TRAIN)
    selection = _only_folder(root, names, SplitRole.SELECTION)
    test = _only_folder(root, names, SplitRole.TEST)
    assert train is not None  # _refuse_unclear
    notes = _unused_note(root, names)
    if selection is not None and test is None:
        notes += (
            f"{selection} is the test set, because {root} holds no folder test; the selection set"
            f" is drawn from {train}",
        )
        return SplitFolders(train, None, selection, notes)
    return SplitFolders(train, selection, test, notes)


def split_folder(root: Path, role: SplitRole) -> Path | None:
    """Return the folder of one role, None if there is none. Raises ValueError for several."""
    return _only_folder(root, split_names(visible_folders(root)), role)


def visible_folders(folder: Path) -> list[str]:
    """Return the sorted names of the folders in a folder, without hidden ones."""
    with os.scandir(folder) as entries:
        return sorted(
            entry.name
            for entry in entries
            if not entry.name.startswith(".") and Path(entry.path).is_dir()
        )


def _refuse_suspected(root: Path, names: SplitNames) -> None:
    """Raise ValueError if all folders look like splits and some have no usual name."""
    if not names.others or not (roles := suspected_roles([*names.names, *names.others])):
        return
    usual = {SplitRole.TRAIN: "train", SplitRole.SELECTION: "val", SplitRole.TEST: "test"}
    are_clear = len(set(roles.values())) == len(roles)
    renamed = [f"{name} to {usual.get(roles[name], 'val or test')}" for name in names.others]
    advice = listed(renamed) if are_clear else "them to train, val and test"
    raise ValueError(
        f"{root} holds {listed(sorted(roles))}, which look like splits: rename {advice}; if all of"
        " them are classes, type data.folders=classes"
    )


def _refuse_unclear(root: Path, names: SplitNames) -> None:
    """Raise ValueError if the folders may be classes, or no one training set is among them."""
    train = names.names_of_role(SplitRole.TRAIN)
    flat = [name for name in names.names if _holds_images(root / name)]
    if names.others and (not train or train[0] in flat):
        name = (flat or names.names)[0]
        raise ValueError(
            f"{root / name} is named like a split, and {root} holds other folders"
            f" ({listed(names.others)}): move them into {root / 'train'}, or rename {name}; if all"
            " are classes, type data.folders=classes"
        )
    if not train:
        raise ValueError(
            f"{root} holds {listed(names.names)} and no training set: put the training images into"
            f" {root / 'train'}/CLASS/"
        )
    either = names.names_of_role(SplitRole.EITHER)
    if either and not names.names_of_role(SplitRole.TEST):
        raise ValueError(
            f"{root / either[0]} may be a selection set or a test set: give it the name val or test"
        )


def _only_folder(root: Path, names: SplitNames, role: SplitRole) -> Path | None:
    """Return the folder of a role. Raises ValueError if there are several."""
    folders = names.names_of_role(role)
    if len(folders) > 1:
        raise ValueError(
            f"{root} holds {' and '.join(map(repr, folders))}, and both are named like a {role}"
            " set: keep one of them there"
        )
    return root / folders[0] if folders else None


def _unused_note(root: Path, names: SplitNames) -> tuple[str, ...]:
    unused = sorted([*names.others, *names.names_of_role(SplitRole.EITHER)])
    what = [f"folders {listed(unused)}"] if unused else []
    what += ["images that lie directly there"] if _holds_images(root) else []
    return (f"not used in {root}: {' and '.join(what)}",) if what else ()


def _holds_images(folder: Path) -> bool:
    """Return whether images lie directly in the folder."""
    with os.scandir(folder) as entries:
        return any(
            entry.name.lower().endswith(IMAGE_SUFFIXES) and not entry.name.startswith(".")
            for entry in entries
        )
