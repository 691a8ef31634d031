"""Images of an evaluation set that are training images too: the same files, linked or copied.

Files of the same device and inode are one file, and files of equal size are compared by their
SHA-256. The answer is kept in the user's cache by the sizes and modification times of all files.
"""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from clip_hparam.data.dataset import SELECTION, TEST, ImageDataset, ImageFiles
from clip_hparam.data.folders.image_check import MAX_FILES_UNASKED
from clip_hparam.records.atomic import read_json, sha256_of, write_json
from clip_hparam.records.user_cache import cache_path

NAMES = {SELECTION: "selection set", TEST: "test set"}
FileFacts = tuple[int, int, int, int]
"""Size in bytes, modification time in ns, device, inode; zeros for a missing file."""


def shared_file_notes(dataset: ImageDataset, limit: int = MAX_FILES_UNASKED) -> tuple[str, ...]:
    """Return a sentence for each evaluation set that holds training images.

    limit: number of files in both sets up to which they are compared.
    """
    if not isinstance(dataset.train, ImageFiles):
        return ()
    sets = {name: one.images for name, one in dataset.eval_sets.items()}
    return tuple(
        _note(dataset.train, images, NAMES.get(name, f"evaluation set {name}"), shared)
        for name, images in sets.items()
        if isinstance(images, ImageFiles) and len(images) + len(dataset.train) <= limit
        if (shared := shared_indices(dataset.train, images))
    )


def shared_indices(train: ImageFiles, images: ImageFiles) -> list[int]:
    """Return the indices of the images that are training images too."""
    facts = [[_facts_of(path) for path in _paths(files)] for files in (train, images)]
    described = repr([str(train.root), str(images.root), facts])
    key = hashlib.sha256(
        os.fsencode(described) + train.paths.tobytes() + images.paths.tobytes()
    ).hexdigest()
    entry = cache_path("shared", f"{train.root}\0{images.root}")
    known = read_json(entry) or {}
    if known.get("key") == key:
        return [int(index) for index in known["shared"]]
    shared = list(_compared(train, images, *facts))
    with suppress(OSError):
        write_json(entry, {"key": key, "shared": shared})
    return shared


def _compared(
    train: ImageFiles,
    images: ImageFiles,
    train_facts: Sequence[FileFacts],
    facts: Sequence[FileFacts],
) -> Iterator[int]:
    """Yield the index of each image that is a training image; read files of equal size only."""
    inodes = {one[2:] for one in train_facts}
    by_size: dict[int, list[Path]] = defaultdict(list)
    sizes = {one[0] for one in facts}
    for path, one in zip(_paths(train), train_facts, strict=True):
        if one[0] in sizes and one[0]:
            by_size[one[0]].append(path)
    digests: dict[int, set[str]] = {}
    for index, (path, one) in enumerate(zip(_paths(images), facts, strict=True)):
        size = one[0]
        if not size:
            continue
        if one[2:] in inodes:
            yield index
        elif size in by_size:
            if size not in digests:
                digests[size] = set(map(_digest, by_size[size])) - {""}
            if _digest(path) in digests[size]:
                yield index


def _note(train: ImageFiles, images: ImageFiles, name: str, shared: Sequence[int]) -> str:
    first = images.path(shared[0]).relative_to(images.root)
    return (
        f"{len(shared):,} of {len(images):,} images of the {name} are training images too (links or"
        f" copies of files in {train.root}), such as {first}: its accuracy is too high by them"
    )


def _paths(files: ImageFiles) -> Iterator[Path]:
    return (files.path(index) for index in range(len(files)))


def _facts_of(path: Path) -> FileFacts:
    try:
        stat = path.stat()
    except OSError:
        return 0, 0, 0, 0
    return stat.st_size, stat.st_mtime_ns, stat.st_dev, stat.st_ino


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file, "" for one that cannot be read."""
    try:
        return sha256_of(path)
    except OSError:
        return ""
