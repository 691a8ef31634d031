"""Index of a shard in WebDataset's layout: where each image is, and its label.

A sample is a run of members with one key: n01440764/17.jpg and n01440764/17.cls. WebDataset's own
library streams, which gives neither random access nor an exact place to resume at.

Source: the layout of https://github.com/webdataset/webdataset, `base_plus_ext`.
"""

import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from clip_hparam.data.file_index import IMAGE_SUFFIXES
from clip_hparam.data.folders.names import listed
from clip_hparam.data.packs.pack_index import PackIndex
from clip_hparam.data.packs.shard_labels import FOLDER, FORM, kind_of, label_of

KEY_AND_SUFFIX = re.compile(r"((?:.*/|)[^.]+)[.]([^/]*)", re.DOTALL)
BLOCK = 512
CUT_SHORT = "was cut short, or is damaged: copy it again"
Extent = tuple[int, int]
"""Offset and size in bytes."""


@dataclass(frozen=True)
class Sample:
    """Members of a key by their suffix, in lower case."""

    key: str
    members: dict[str, Extent] = field(default_factory=dict)


def index_shard(path: Path) -> PackIndex:
    """Return the index of a shard.

    Raises: ValueError with one sentence for a shard that is cut short or compressed, a key that is
    there twice, a sample without an image or a label, and samples with labels of several kinds.
    """
    names, labels, places = [], [], []
    kind = ""
    with path.open("rb") as file:
        for sample in _samples(path):
            suffix = _image_suffix(path, sample)
            sample_kind = kind_of(sample.key, sample.members)
            if sample_kind is None:
                raise ValueError(f"{path}: sample {sample.key} has no label: {FORM}")
            kind = kind or sample_kind
            if sample_kind != kind:
                raise ValueError(
                    f"{path}: sample {sample.key} is labelled by {_word(sample_kind)}, and those"
                    f" before by {_word(kind)}: give all samples one kind of label"
                )
            labels.append(_label(path, file.fileno(), sample, kind))
            names.append(f"{sample.key}.{suffix}")
            places.append(sample.members[suffix])
    if not names:
        raise ValueError(f"{path} holds no sample: {FORM}")
    return PackIndex(tuple(names), tuple(labels), np.array(places, np.int64), kind)


def _image_suffix(path: Path, sample: Sample) -> str:
    images = [suffix for suffix in sample.members if f".{suffix}" in IMAGE_SUFFIXES]
    if len(images) == 1:
        return images[0]
    what = f"{len(images)} images" if images else "no image"
    raise ValueError(
        f"{path}: sample {sample.key} has {what} among its members"
        f" {listed([f'.{ending}' for ending in sample.members])}: keep one, which ends in"
        f" {', '.join(IMAGE_SUFFIXES)}"
    )


def _label(path: Path, descriptor: int, sample: Sample, kind: str) -> str:
    offset, size = (0, 0) if kind == FOLDER else sample.members[kind]
    try:
        return label_of(kind, sample.key, os.pread(descriptor, size, offset))
    except ValueError as error:
        raise ValueError(f"{path}: sample {sample.key} has no label ({error}): {FORM}") from None


def _word(kind: str) -> str:
    return "its folder" if kind == FOLDER else f".{kind}"


def _samples(path: Path) -> Iterator[Sample]:
    """Yield the samples of a shard. Raises ValueError for a key or a member that is there twice."""
    seen: set[str] = set()
    sample = Sample("")
    for name, extent in _members(path):
        match = KEY_AND_SUFFIX.fullmatch(name)
        if match is None:
            continue
        key, suffix = match[1], match[2].lower()
        if key != sample.key:
            if sample.members:
                yield sample
            if key in seen:
                raise ValueError(
                    f"{path} holds the key {key} twice, and other keys between: sort its members"
                    " by key, and give each sample a key of its own"
                )
            seen.add(key)
            sample = Sample(key)
        if suffix in sample.members:
            raise ValueError(
                f"{path} holds {key}.{suffix} twice: give each sample a key of its own"
            )
        sample.members[suffix] = extent
    if sample.members:
        yield sample


def _members(path: Path) -> Iterator[tuple[str, Extent]]:
    """Yield name, offset and size of each visible file of a shard.

    Raises: ValueError for a shard without the end mark of an archive, and for one that is no tar.
    """
    try:
        with tarfile.open(path, "r:") as tar:
            while (member := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined] # it would keep all of them
                name = member.name.removeprefix("./")
                base = name.rpartition("/")[2]
                if member.isreg() and not base.startswith((".", "__")):
                    yield name, (member.offset_data, member.size)
            end = tar.offset
    except tarfile.ReadError as error:
        raise ValueError(_not_a_shard(path, error)) from None
    with path.open("rb") as file:
        file.seek(end)
        if file.read(BLOCK) != bytes(BLOCK):
            raise ValueError(f"{path} {CUT_SHORT}")


def _not_a_shard(path: Path, error: Exception) -> str:
    with path.open("rb") as file:
        head = file.read(6)
    if not head:
        return f"{path} is empty: copy it again"
    packers: Mapping[bytes, str] = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
    for magic, name in packers.items():
        if head.startswith(magic):
            return f"{path} is compressed by {name}, and its images are read at random: unpack it"
    if "unexpected end" in str(error) or "truncated" in str(error):
        return f"{path} {CUT_SHORT}"
    return f"{path} is not a tar archive, or its start is damaged: copy it again"
