"""Find the packs in a folder, or those that a brace pattern names, and the split of each."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from clip_hparam.data.folders.names import listed
from clip_hparam.data.folders.split_folders import visible_folders
from clip_hparam.data.folders.split_names import (
    ROLE_OF_WORD,
    WORD_IN_NAME,
    SplitRole,
    simplified,
)
from clip_hparam.data.packs.brace_pattern import expand_braces, has_braces

MAX_DEPTH = 2  # folders between the root and a pack: data/, default/train/
MAX_FOLDERS = 30  # a folder with more is not searched: class folders hold no packs


@dataclass(frozen=True)
class FoundPacks:
    """Packs below a root by their split, as sorted relative paths; the split None is all of them.

    root: the folder that all of them are below.
    """

    root: Path
    by_role: dict[SplitRole | None, list[str]]


def holds_packs(root: Path, suffix: str) -> bool:
    """Return whether a root is a pack, a pattern of packs, or a folder that holds packs."""
    if has_braces(str(root)) or root.is_file():
        return root.suffix == suffix
    return root.is_dir() and next(_packs_below(root, suffix), None) is not None


def find_packs(root: Path, suffix: str) -> FoundPacks:
    """Return the packs of a root.

    Raises: FileNotFoundError if there is none, or one that a pattern names is missing; ValueError
    if the split of a pack is not clear, or packs of several data sets are there.
    """
    folder, names = _list_packs(root, suffix)
    if not names:
        raise FileNotFoundError(_none_found(root, suffix))
    by_role: dict[SplitRole | None, list[str]] = {}
    for name in sorted(names):
        by_role.setdefault(_role_of(root, name), []).append(name)
    if None in by_role and len(by_role) > 1:
        others = [name for role, paths in by_role.items() if role for name in paths]
        raise ValueError(
            f"{root} holds {listed(others)}, which are named by a split, and"
            f" {listed(by_role[None])}, which is not: put train, val or test into its name"
        )
    if root.is_dir():
        _refuse_several_datasets(root, names)
    _refuse_unclear(root, by_role)
    return FoundPacks(folder, by_role)


def _list_packs(root: Path, suffix: str) -> tuple[Path, list[str]]:
    """Return the folder of the packs and their relative paths."""
    if root.is_dir():
        return root, list(_packs_below(root, suffix))
    paths = [Path(name) for name in expand_braces(str(root))]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        count_text = f"{len(missing):,} of its {len(paths):,} files do"
        raise FileNotFoundError(
            f"data.root={root}: {count_text if len(paths) > 1 else 'it does'} not exist, such as"
            f" {missing[0]}: correct the pattern, or restore the files"
        )
    other = [path for path in paths if path.suffix != suffix]
    if other:
        raise ValueError(f"{other[0]} does not end in {suffix}: name files that do")
    folder = Path(os.path.commonpath([path.parent for path in paths]))
    return folder, [str(path.relative_to(folder)) for path in paths]


def _packs_below(folder: Path, suffix: str, depth: int = 0) -> Iterator[str]:
    with os.scandir(folder) as entries:
        files = [entry.name for entry in entries if entry.name.endswith(suffix)]
    yield from sorted(name for name in files if not name.startswith("."))
    if depth == MAX_DEPTH:
        return
    folders = visible_folders(folder)
    if len(folders) <= MAX_FOLDERS:
        for name in folders:
            for path in _packs_below(folder / name, suffix, depth + 1):
                yield f"{name}/{path}"


def _role_of(root: Path, name: str) -> SplitRole | None:
    """Return the split that the name of a pack names, or else a folder of it; None: neither."""
    *folders, file = name.split("/")
    for part in (file.rpartition(".")[0], *reversed(folders)):
        words = WORD_IN_NAME.findall(simplified(part))
        roles = {ROLE_OF_WORD[word] for word in words}
        if len(roles) > 1:
            raise ValueError(
                f"{root / name} is named by several splits, {listed(words)}: keep one of them"
            )
        if roles:
            return roles.pop()
    return None


def _refuse_several_datasets(root: Path, names: Sequence[str]) -> None:
    """Raise ValueError if the packs lie in folders that are no splits of one data set."""
    places = sorted({tuple(filter(_is_no_split, name.split("/")[:-1])) for name in names})
    if len(places) > 1:
        folders = [str(root.joinpath(*place)) for place in places]
        raise ValueError(
            f"{root} holds files in {listed(folders)}, which may be several data sets: try"
            f" data.root={folders[-1]}"
        )


def _is_no_split(folder: str) -> bool:
    return not WORD_IN_NAME.search(simplified(folder))


def _refuse_unclear(root: Path, by_role: dict[SplitRole | None, list[str]]) -> None:
    if SplitRole.EITHER in by_role:
        name = by_role[SplitRole.EITHER][0]
        raise ValueError(
            f"{root / name} may be of a selection set or of a test set: put val or test into its"
            " name"
        )
    if None not in by_role and SplitRole.TRAIN not in by_role:
        packs = [name for names in by_role.values() for name in names]
        raise ValueError(
            f"{root} holds {listed(packs)} and no file of the training set: put files there whose"
            " names begin with train"
        )


def _none_found(root: Path, suffix: str) -> str:
    layout = f"train-*{suffix} and val-*{suffix} there, or train/*{suffix} and val/*{suffix}"
    return f"data.root={root} holds no file that ends in {suffix}: put {layout}"
