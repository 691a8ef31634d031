"""Write small tar shards in WebDataset's layout, and Parquet files as Hugging Face writes them."""

import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image
from pyarrow import parquet

WNIDS = ("n01440764", "n01443537", "n02102040")
Member = tuple[str, bytes]


def jpeg(seed: int, side: int = 24, mode: str = "RGB") -> bytes:
    """Return a JPEG of noise."""
    shape = (side, side + seed % 7, *([] if mode == "L" else [len(mode)]))
    pixels = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels, mode=mode).save(file, "JPEG")
    return file.getvalue()


def write_shard(path: Path, members: Iterable[Member]) -> Path:
    """Write a tar of these members in their order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def sample(key: str, seed: int, label: Any = None, kind: str = "cls") -> list[Member]:
    """Return the members of a sample: its image, and its label unless that is None."""
    text = json.dumps({"label": label}) if kind == "json" else str(label)
    labelled = [] if label is None else [(f"{key}.{kind}", text.encode())]
    return [(f"{key}.jpg", jpeg(seed)), *labelled]


def shards(
    root: Path,
    parts: Mapping[str, int] = {"train": 6, "val": 2},
    labels: Sequence[Any] = (0, 1, 2),
    kind: str = "cls",
    count: int = 2,
) -> Path:
    """Write `count` shards of each part with a number of images of each label."""
    seed = 0
    for part, each in parts.items():
        members: list[list[Member]] = []
        for number in range(each * len(labels)):
            seed += 1
            label = labels[number % len(labels)]
            key = f"{label}/{seed:05}" if kind == "folder" else f"{seed:05}"
            members.append(sample(key, seed, None if kind == "folder" else label, kind))
        for shard in range(count):
            of_shard = [one for sample in members[shard::count] for one in sample]
            write_shard(root / f"{part}-{shard:06}.tar", of_shard)
    return root


def write_parquet(
    path: Path,
    labels: Sequence[Any],
    names: Sequence[str] | None = ("cat", "dog", "owl"),
    first_seed: int = 0,
    group: int = 4,
    image: str = "image",
    label: str = "label",
) -> Path:
    """Write a file as the library datasets does; names None: no metadata, labels are texts."""
    images = [
        {"bytes": jpeg(first_seed + n), "path": f"{first_seed + n}.JPEG"}
        for n in range(len(labels))
    ]
    struct = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    number = pa.int64() if names is not None else pa.string()
    schema = pa.schema([(image, struct), (label, number)])
    if names is not None:
        features = {
            image: {"_type": "Image"},
            label: {"names": list(names), "_type": "ClassLabel"},
        }
        metadata = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
        schema = schema.with_metadata(metadata)
    table = pa.table({image: pa.array(images, struct), label: list(labels)}, schema=schema)
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path, row_group_size=group)
    return path


def hf_parquet(root: Path, names: Sequence[str] = ("cat", "dog", "owl")) -> Path:
    """Write train in two files, validation and a test set, in the folder data."""
    classes = len(names)
    each = [n % classes for n in range(6 * classes)]
    half = len(each) // 2
    write_parquet(root / "data" / "train-00000-of-00002-0a1b.parquet", each[:half], names)
    write_parquet(root / "data" / "train-00001-of-00002-0c2d.parquet", each[half:], names, 100)
    write_parquet(root / "data" / "validation-00000-of-00001.parquet", each[:6], names, 200)
    write_parquet(root / "data" / "test-00000-of-00001.parquet", each[:6], names, 300)
    return root
