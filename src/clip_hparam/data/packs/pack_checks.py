"""Checks of packs that make one data set: one kind of label, the same classes, no copies."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from clip_hparam.data.labelled_parts import sha256
from clip_hparam.data.packs.pack_index import Pack, PackIndex
from clip_hparam.data.packs.packed_files import ReadFunction
from clip_hparam.data.packs.parquet.parquet_index import UNLABELLED
from clip_hparam.data.packs.shard_labels import FOLDER


class PackFormat(NamedTuple):
    """How packs of a kind are indexed and read.

    noun: singular. sized: the index knows the size of each image.
    """

    suffix: str
    noun: str
    build_index: Callable[[Path], PackIndex]
    read: ReadFunction
    sized: bool


def refuse_unlike(every: Sequence[tuple[Pack, PackIndex]]) -> None:
    """Raise ValueError if packs have labels of several kinds, or name other classes."""
    first_pack, first = every[0]
    for pack, index in every:
        if index.kind != first.kind:
            raise ValueError(
                f"{pack.path} has labels of the kind {index.kind}, and {first_pack.path} of the"
                f" kind {first.kind}: give all samples one kind of label"
            )
        if index.classes != first.classes:
            raise ValueError(
                f"{pack.path} names other classes in its schema than {first_pack.path}: put each"
                " data set into its own folder"
            )


def refuse_copies(every: Sequence[tuple[Pack, PackIndex]], form: PackFormat) -> None:
    """Raise ValueError if two packs hold the same samples, by their index and their first image."""
    seen: dict[str, Pack] = {}
    for pack, index in every:
        key = sha256_of_index(index, form.sized)
        twin = seen.setdefault(key, pack)
        first, second = index.places[0].tolist()
        if twin is not pack and form.read(twin, first, second) == form.read(pack, first, second):
            raise ValueError(f"{pack.path} holds the samples of {twin.path}: remove one of them")


def refuse_mixed(root: Path, kind: str, labels: Collection[str]) -> None:
    """Raise ValueError if some labels are numbers and some are names; folders may be both."""
    if UNLABELLED in labels and kind != FOLDER:
        raise ValueError(
            f"{root}: an image has the label {UNLABELLED}, which is not a class: leave such images"
            " out"
        )
    numbers = sorted(label for label in labels if label.isdecimal())
    words = sorted(set(labels) - set(numbers))
    if kind != FOLDER and numbers and words:
        raise ValueError(
            f"{root}: some labels are numbers, such as {numbers[0]}, and some are names, such as"
            f" {words[0]}: write all of them in one way"
        )


def sha256_of_index(index: PackIndex, sized: bool) -> str:
    """Return the SHA-256 of names, labels and sizes; where the images lie is no part of it."""
    sizes = index.places[:, 1].tolist() if sized else index.content
    return sha256(repr((sizes, index.content)) + "\0".join((*index.names, "", *index.labels)))
