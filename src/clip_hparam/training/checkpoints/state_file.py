"""Files of tensors in safetensors' format, written in one pass: hashed and synced while written.

The library reads them; its writer needs all tensors at once in host memory.
"""

import hashlib
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import safe_open
from torch import Tensor

from clip_hparam.records.atomic import open_atomic
from clip_hparam.training.checkpoints.snapshot import Snapshot

DTYPES = {torch.float32: "F32", torch.float64: "F64"}
FACTS = "facts"  # key of the metadata: JSON


class Part(NamedTuple):
    """A flat tensor, and the shapes of the tensors that it holds in this order, by name."""

    flat: Tensor
    shapes: Mapping[str, Sequence[int]]


class CancelledError(RuntimeError):
    """The write is not needed any more."""


def write_parts(
    path: Path,
    parts: Sequence[Part],
    facts: Mapping[str, Any],
    snapshot: Snapshot,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> str:
    """Replace a file by the parts and return its sha256.

    snapshot: of the tensors of the parts.

    Raises: CancelledError, which leaves the old file, as an OSError does.
    """
    digest = hashlib.sha256()
    with open_atomic(path) as file:
        header = _header(parts, facts)
        file.write(header)
        digest.update(header)
        for chunk in snapshot.read():
            if is_cancelled():
                raise CancelledError
            content = chunk.numpy().data
            file.write(content)
            digest.update(content)
    return digest.hexdigest()


def read_facts(path: Path) -> dict[str, Any]:
    """Return the facts of a file without reading its tensors."""
    with safe_open(path, "pt") as file:
        facts: dict[str, Any] = json.loads(file.metadata()[FACTS])
    return facts


def _header(parts: Sequence[Part], facts: Mapping[str, Any]) -> bytes:
    """Return the header of the format: its length, then JSON padded to 8 bytes."""
    entries: dict[str, Any] = {"__metadata__": {FACTS: json.dumps(facts)}}
    start = 0
    for flat, shapes in parts:
        for name, shape in shapes.items():
            end = start + prod(shape) * flat.element_size()
            entries[name] = {
                "dtype": DTYPES[flat.dtype],
                "shape": list(shape),
                "data_offsets": [start, end],
            }
            start = end
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text
