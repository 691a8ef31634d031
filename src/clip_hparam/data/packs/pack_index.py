"""Index of the images in a pack, kept in the user's cache by path, size and modification time."""

import base64
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clip_hparam.data.file_index import MTIME_SETTLE_SECONDS
from clip_hparam.records.atomic import read_json, write_json
from clip_hparam.records.user_cache import cache_path

VERSION = 1  # increase it when indexing changes, so that cached indexes expire
Places = NDArray[np.int64]


class Pack(NamedTuple):
    """A pack as it was when it was indexed: bytes, and ns. column: of the images, in Parquet."""

    path: Path
    size: int
    modified: int
    column: str = ""


@dataclass(frozen=True, eq=False)
class PackIndex:
    """Images of a pack, in its order.

    names: unique in the pack. labels: text, a number where `classes` or a class index names it.
    places: shape (n, 2): offset and size in bytes in a shard, row group and its row in Parquet.
    kind: what the labels are read from; the same in all packs of a data set.
    classes: names of the labels 0, 1, ..., where the pack has them.
    column: of the images, in Parquet. content: text that identifies the bytes beside the names.
    group_size: bytes that are read for one image, the mean.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    places: Places
    kind: str
    classes: tuple[str, ...] = ()
    column: str = ""
    content: str = ""
    group_size: int = 0


def stamped(path: Path, column: str = "") -> Pack:
    """Return a pack with its present size and modification time."""
    stat = path.stat()
    return Pack(path, stat.st_size, stat.st_mtime_ns, column)


def indexed(path: Path, build: Callable[[Path], PackIndex]) -> tuple[Pack, PackIndex]:
    """Return a pack and its index, from the cache if size and modification time are as they were.

    Raises: ValueError as `build` does.
    """
    pack = stamped(path)
    entry = cache_path("packs", str(path.resolve()))
    cached = read_json(entry) or {}
    if cached.get("stamp") == [VERSION, pack.size, pack.modified]:
        with suppress(KeyError, ValueError, TypeError):
            index = _parsed(cached)
            return pack._replace(column=index.column), index
    index = build(path)
    if time.time_ns() - pack.modified > MTIME_SETTLE_SECONDS * 1e9:
        with suppress(OSError):
            write_json(entry, {"stamp": [VERSION, pack.size, pack.modified], **_tree(index)})
    return pack._replace(column=index.column), index


def _tree(index: PackIndex) -> dict[str, Any]:
    return {
        "names": "\0".join(index.names),
        "labels": "\0".join(index.labels),
        "places": base64.b64encode(index.places.astype("<i8").tobytes()).decode(),
        **{name: getattr(index, name) for name in ("kind", "column", "content", "group_size")},
        "classes": list(index.classes),
    }


def _parsed(tree: Mapping[str, Any]) -> PackIndex:
    places = np.frombuffer(base64.b64decode(tree["places"]), "<i8").astype(np.int64)
    names, labels = tree["names"].split("\0"), tree["labels"].split("\0")
    if not len(names) == len(labels) == len(places) // 2:
        raise ValueError
    return PackIndex(
        tuple(names),
        tuple(labels),
        places.reshape(-1, 2),
        tree["kind"],
        tuple(tree["classes"]),
        tree["column"],
        tree["content"],
        int(tree["group_size"]),
    )
