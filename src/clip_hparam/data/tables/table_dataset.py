"""The data set of a table, or of one table for each split."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from clip_hparam.data.dataset import TRAIN, ImageDataset
from clip_hparam.data.file_index import FileIndex
from clip_hparam.data.folders.class_level import root_override
from clip_hparam.data.folders.labelled_folder import image_files
from clip_hparam.data.folders.names import listed
from clip_hparam.data.folders.split_names import SplitRole, plain_role
from clip_hparam.data.labelled_parts import ROLES, LabelledPart, dataset_of_parts, sha256
from clip_hparam.data.reading.scan import scan_headers
from clip_hparam.data.tables.table_file import FORM, SUFFIXES, TableRows, read_table


@cache
def load_table(root: Path) -> ImageDataset:
    """Return the data set of a table, or of the tables train, val and test in a folder.

    The classes are the sorted labels, numbers by their value. Without a test set a fixed fifth of
    each class is the test set; with train and val alone, val is the test set.

    Raises: ValueError for a table that cannot be used, FileNotFoundError for missing images.
    """
    return dataset_of_parts(_parts(root))


def _parts(root: Path) -> dict[str, LabelledPart]:
    """Return the sets of a table or of a folder of tables, TRAIN among them."""
    if root.is_file():
        return _parts_of(read_table(root))
    tables = sorted(path for path in root.iterdir() if path.suffix in SUFFIXES)
    roles = {path: plain_role(path.stem) for path in tables}
    named = {path: role for path, role in roles.items() if role in ROLES}
    if len(tables) == 1 and not named:
        return _parts_of(read_table(tables[0]))
    by_role = {role: [path for path in named if named[path] == role] for role in ROLES}
    if len(by_role[SplitRole.TRAIN]) != 1 or any(len(paths) > 1 for paths in by_role.values()):
        names = listed([path.name for path in tables]) if tables else "no table"
        raise FileNotFoundError(
            f"data.root={root} holds {names}: data=table reads one table, or one each of train,"
            f" val and test, which end in .csv, .tsv or .parquet{_table_hint(tables)}"
        )
    rows = {ROLES[role]: read_table(paths[0]) for role, paths in by_role.items() if paths}
    return {name: _part(table, range(len(table.paths))) for name, table in rows.items()}


def _table_hint(tables: Sequence[Path]) -> str:
    return f": to read one of them type {root_override(tables[0])}" if tables else ""


def _parts_of(rows: TableRows) -> dict[str, LabelledPart]:
    """Return the sets of one table by its column split."""
    if not rows.splits:
        return {TRAIN: _part(rows, range(len(rows.paths)))}
    members: dict[str, list[int]] = {}
    for index, split in enumerate(rows.splits):
        role = plain_role(split)
        if role not in ROLES:
            raise ValueError(
                f"{rows.file}: row {index + 1} is of the split {split}: write train, val or test"
            )
        members.setdefault(ROLES[role], []).append(index)
    if TRAIN not in members:
        raise ValueError(f"{rows.file} has no row of the split train: {FORM}")
    return {name: _part(rows, index, name) for name, index in members.items()}


def _part(rows: TableRows, index: Sequence[int], split: str = "") -> LabelledPart:
    folder = rows.file.parent
    paths = tuple(rows.paths[i] for i in index)
    labels = tuple(rows.labels[i] for i in index)
    file_index = FileIndex(paths, tuple(_sizes(rows.file, paths)), ())
    identity = scan_headers(folder, file_index).identify(file_index.fingerprint)
    text = sha256(f"{identity} {labels}")
    source = f"{rows.file}{f', split {split}' if split else ''}"
    return LabelledPart(source, image_files(folder, file_index), labels, text)


def _sizes(file: Path, paths: Sequence[str]) -> list[int]:
    """Return the bytes of each image. Raises FileNotFoundError with the first that is missing."""
    sizes: list[int] = []
    missing: list[str] = []
    for path in paths:
        try:
            sizes.append((file.parent / path).stat().st_size)
        except OSError:
            missing.append(path)
    if missing:
        raise FileNotFoundError(
            f"{file} names {file.parent / missing[0]}, which does not exist{_more(missing)}: paths"
            " are relative to the folder of the table"
        )
    return sizes


def _more(missing: Sequence[str]) -> str:
    return f", and {len(missing) - 1:,} more such files" if len(missing) > 1 else ""
