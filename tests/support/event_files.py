"""Write TensorBoard event files in the layout of TensorBoard 2, as its own writers do."""

import struct
from pathlib import Path
from typing import Any

from clip_hparam.analysis.frames.importing.readers.event_file import masked_crc


def varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def field(number: int, value: bytes | float | int | str) -> bytes:
    """Return an encoded field: an integer as varint, a float as double, text and bytes as such."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value % 2**64)
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def scalar(tag: str, value: float, step: int, kind: str = "simple") -> bytes:
    """Return an event with one scalar: a `simple_value`, or a tensor as TensorBoard 2 writes it."""
    number = {
        "simple": varint(2 << 3 | 5) + struct.pack("<f", value),
        "float": field(8, field(1, 1) + field(4, struct.pack("<f", value))),
        "double": field(8, field(1, 2) + field(6, struct.pack("<d", value))),
    }[kind]
    return field(1, 1.5e9) + field(2, step) + field(5, field(1, field(1, tag) + number))


def session(hparams: dict[str, Any], status: int | None = 1) -> list[bytes]:
    """Return the events of the hparams plugin; status 1: success, 2: failure, None: not ended."""
    pairs = b"".join(
        field(1, field(1, name) + field(2, struct_value(value))) for name, value in hparams.items()
    )
    contents = [field(1, 0) + field(3, pairs)]
    if status is not None:
        contents.append(field(1, 0) + field(4, field(1, status) + field(2, 1.5e9)))
    metadata = [field(1, field(1, "hparams") + field(2, content)) for content in contents]
    return [field(5, field(1, field(1, "_hparams_/x") + field(9, data))) for data in metadata]


def struct_value(value: Any) -> bytes:
    if isinstance(value, bool):
        return field(4, int(value))
    return field(3, value) if isinstance(value, str) else field(2, float(value))


def write_events(
    folder: Path, events: list[bytes], name: str = "events.out.tfevents.1.host"
) -> Path:
    """Write a file of events, each with its length and checksums."""
    folder.mkdir(parents=True, exist_ok=True)
    content = b""
    for event in [field(1, 1.5e9) + field(3, "brain.Event:2"), *events]:
        length = struct.pack("<Q", len(event))
        content += length + struct.pack("<I", masked_crc(length)) + event
        content += struct.pack("<I", masked_crc(event))
    (folder / name).write_bytes(content)
    return folder / name
