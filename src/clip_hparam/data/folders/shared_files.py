"""Images that are in two sets, such as test and training: the same files, linked or copied.

Files of the same device and inode are one file, and files of equal size are compared by their
SHA-256. The answer is kept in the user's cache by the sizes and modification times of all files.
"""

import hashlib
import os
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress

from clip_hparam.config.text.count import counted
from clip_hparam.data.dataset import (
    SELECTION,
    TEST,
    TRAIN,
    FileFacts,
    ImageDataset,
    ImageFiles,
    Images,
)
from clip_hparam.data.folders.image_check import MAX_FILES_UNASKED
from clip_hparam.data.reading.errors import UnreadableImageError
from clip_hparam.records.atomic import read_json, write_json
from clip_hparam.records.user_cache import cache_path

NAMES = {SELECTION: "selection set", TEST: "test set"}
OTHER_SETS = {TRAIN: "training images", SELECTION: "selection images"}
EFFECTS = {
    TRAIN: "they inflate its accuracy",
    SELECTION: "they choose the epoch that it measures",
}


def shared_file_notes(dataset: ImageDataset, limit: int = MAX_FILES_UNASKED) -> tuple[str, ...]:
    """Return a sentence for each evaluation set that holds training images.

    And one for selection images in the test set.

    limit: number of files in both sets up to which they are compared.
    """
    sets = {name: images for name, images in _sets(dataset) if isinstance(images, ImageFiles)}
    notes = []
    for other, name in _pairs(sets):
        if len(sets[other]) + len(sets[name]) > limit:
            continue
        shared = shared_indices(sets[other], sets[name], f"{other} {name}")
        if shared:
            first = sets[name].path(shared[0]).relative_to(sets[name].root)
            how = f" (links or copies of files in {sets[other].root}), such as {first}"
            notes.append(_note(other, name, len(shared), len(sets[name]), how))
    return tuple(notes)


def shared_array_notes(dataset: ImageDataset) -> tuple[str, ...]:
    """Return a sentence for each evaluation set in memory that holds training images.

    And one for selection images in the test set.
    """
    sets = {name: images for name, images in _sets(dataset) if not isinstance(images, ImageFiles)}
    pixels = {name: [image.tobytes() for image in images] for name, images in sets.items()}
    notes = []
    for other, name in _pairs(sets):
        known = set(pixels[other])
        shared = sum(image in known for image in pixels[name])
        if shared:
            notes.append(_note(other, name, shared, len(pixels[name]), ", pixel by pixel"))
    return tuple(notes)


def _sets(dataset: ImageDataset) -> Iterator[tuple[str, Images]]:
    """Yield all sets of images by name, the training images first."""
    yield TRAIN, dataset.train
    for name, eval_set in dataset.eval_sets.items():
        yield name, eval_set.images


def _pairs(names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of sets, the second of which must hold no image of the first."""
    yield from ((TRAIN, name) for name in names if TRAIN in names and name != TRAIN)
    if SELECTION in names and TEST in names:
        yield SELECTION, TEST


def _note(other: str, name: str, shared: int, total: int, how: str) -> str:
    """Return a sentence; how: what was compared."""
    evaluated = NAMES.get(name, f"evaluation set {name}")
    return (
        f"{shared:,} of {counted(total, 'image')} of the {evaluated} are {OTHER_SETS[other]}"
        f" too{how}: {EFFECTS[other]}"
    )


def shared_indices(train: ImageFiles, images: ImageFiles, names: str = "") -> list[int]:
    """Return the indices of the images that are training images too.

    names: of both sets, which may lie below the same roots as others; each pair has an entry in
    the cache.
    """
    facts = [files.facts() for files in (train, images)]
    plain = [[tuple(fact) for fact in part] for part in facts]
    described = repr([str(train.root), str(images.root), plain])
    key = hashlib.sha256(
        os.fsencode(described) + train.paths.tobytes() + images.paths.tobytes()
    ).hexdigest()
    entry = cache_path("shared", f"{train.root}\0{images.root}\0{names}")
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


def _digest(files: ImageFiles, index: int) -> str:
    """Return the SHA-256 of an image, "" for one that cannot be read."""
    try:
        return files.digest(index)
    except (OSError, UnreadableImageError):
        return ""
