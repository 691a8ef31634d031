"""Images of an evaluation set that are training images too: the same files, linked or copied.

Files of the same device and inode are one file, and files of equal size are compared by their
SHA-256. The answer is kept in the user's cache by the sizes and modification times of all files.
"""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from clip_hparam.config.text.count import counted
from clip_hparam.data.dataset import (
    SELECTION,
    TEST,
    FileFacts,
    ImageArray,
    ImageDataset,
    ImageFiles,
    Images,
)
from clip_hparam.data.folders.image_check import MAX_FILES_UNASKED
from clip_hparam.data.reading.errors import UnreadableImageError
from clip_hparam.records.atomic import read_json, write_json
from clip_hparam.records.user_cache import cache_path

NAMES = {SELECTION: "selection set", TEST: "test set"}


def shared_file_notes(dataset: ImageDataset, limit: int = MAX_FILES_UNASKED) -> tuple[str, ...]:
    """Return a sentence for each evaluation set that holds training images.

    limit: number of files in both sets up to which they are compared.
    """
    if not isinstance(dataset.train, ImageFiles):
        return ()
    sets = {name: eval_set.images for name, eval_set in dataset.eval_sets.items()}
    return tuple(
        _note(dataset.train, images, NAMES.get(name, f"evaluation set {name}"), shared)
        for name, images in sets.items()
        if isinstance(images, ImageFiles) and len(images) + len(dataset.train) <= limit
        if (shared := shared_indices(dataset.train, images))
    )


def shared_array_notes(dataset: ImageDataset) -> tuple[str, ...]:
    """Return a sentence for each evaluation set in memory that holds training images."""
    if isinstance(dataset.train, ImageFiles):
        return ()
    known = {image.tobytes() for image in dataset.train}
    notes = []
    for name, eval_set in dataset.eval_sets.items():
        shared = sum(image.tobytes() in known for image in _arrays(eval_set.images))
        if shared:
            notes.append(
                f"{shared:,} of {counted(len(eval_set.labels), 'image')} of the"
                f" {NAMES.get(name, f'evaluation set {name}')} are training images too, pixel by"
                " pixel: they inflate its accuracy"
            )
    return tuple(notes)


def _arrays(images: Images) -> Iterable[ImageArray]:
    return () if isinstance(images, ImageFiles) else images


def shared_indices(train: ImageFiles, images: ImageFiles) -> list[int]:
    """Return the indices of the images that are training images too."""
    facts = [files.facts() for files in (train, images)]
    plain = [[tuple(fact) for fact in part] for part in facts]
    described = repr([str(train.root), str(images.root), plain])
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
    inodes = {fact[2:] for fact in train_facts}
    by_size: dict[int, list[int]] = defaultdict(list)
    sizes = {fact.size for fact in facts}
    for index, fact in enumerate(train_facts):
        if fact.size in sizes and fact.size:
            by_size[fact.size].append(index)
    digests: dict[int, set[str]] = {}
    for index, fact in enumerate(facts):
        size = fact.size
        if not size:
            continue
        if fact[2:] in inodes:
            yield index
        elif size in by_size:
            if size not in digests:
                digests[size] = {_digest(train, other) for other in by_size[size]} - {""}
            if _digest(images, index) in digests[size]:
                yield index


def _note(train: ImageFiles, images: ImageFiles, name: str, shared: Sequence[int]) -> str:
    first = images.path(shared[0]).relative_to(images.root)
    return (
        f"{len(shared):,} of {counted(len(images), 'image')} of the {name} are training images too"
        f" (links or copies of files in {train.root}), such as {first}: its accuracy is too high by"
        " them"
    )


def _digest(files: ImageFiles, index: int) -> str:
    """Return the SHA-256 of an image, "" for one that cannot be read."""
    try:
        return files.digest(index)
    except (OSError, UnreadableImageError):
        return ""
