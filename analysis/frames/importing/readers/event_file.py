"""Read scalars and hyper-parameters from TensorBoard event files without TensorBoard.

A file is a sequence of records (length, masked CRC-32C of the length, content, CRC of the content);
the content is a protocol buffer. Only the fields that results need are decoded. Source: the .proto
files `event`, `summary`, `tensor` and `plugins/hparams/plugin_data` of TensorBoard 2.
"""

import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

CRC_POLYNOMIAL, CRC_MASK = 0x82F63B78, 0xA282EAD8
FLOAT, DOUBLE = 1, 2  # DataType of a tensor
HPARAMS_PLUGIN = "hparams"
STATUS_NAMES = {0: "UNKNOWN", 1: "SUCCESS", 2: "FAILURE", 3: "RUNNING"}

Fields = dict[int, list[Any]]  # number of a field -> its values: bytes, or an integer


class Events(NamedTuple):
    """The content of the event files of one run."""

    scalars: dict[str, tuple[int, float]]  # tag -> last step and the value at it
    hparams: dict[str, Any]
    status: str  # status of the session, "" if it did not end


def read_events(paths: list[Path]) -> Events:
    """Return the contents of the event files of a run. A cut record at the end is left out.

    Raises:
        ValueError: a file is no event file, or a record is damaged.
    """
    events = Events({}, {}, "")
    for path in sorted(paths):
        for record in _records(path):
            event = _fields(record)
            step = _signed(event.get(2, [0])[-1])
            for summary in event.get(5, []):
                for value in _fields(summary).get(1, []):
                    events = _with_value(events, step, _fields(value))
    return events


def _with_value(events: Events, step: int, value: Fields) -> Events:
    """Return the events with one value of a summary: a scalar, or a part of a session."""
    session = _hparams_data(value)
    if session is None:
        tag, scalar = value.get(1, [b""])[-1].decode(), _scalar(value)
        if scalar is not None and step >= events.scalars.get(tag, (step, 0.0))[0]:
            events.scalars[tag] = (step, scalar)
        return events
    for start in session.get(3, []):
        entries = [_fields(entry) for entry in _fields(start).get(1, [])]
        pairs = {entry[1][-1].decode(): entry.get(2, [b""])[-1] for entry in entries}
        events.hparams.update({name: _struct_value(content) for name, content in pairs.items()})
    for end in session.get(4, []):
        status = _fields(end).get(1, [0])[-1]
        return events._replace(status=STATUS_NAMES.get(status, "UNKNOWN"))
    return events


def _hparams_data(value: Fields) -> Fields | None:
    """Return the HParamsPluginData in the metadata of a value, None if it has none."""
    for metadata in value.get(9, []):
        for plugin in map(_fields, _fields(metadata).get(1, [])):
            if plugin.get(1, [b""])[-1].decode() == HPARAMS_PLUGIN:
                return _fields(plugin.get(2, [b""])[-1])
    return None


def _scalar(value: Fields) -> float | None:
    """Return the number of a value: `simple_value`, or a tensor of one float or double."""
    if 2 in value:
        return float(struct.unpack("<f", value[2][-1])[0])
    for tensor in map(_fields, value.get(8, [])):
        kind = tensor.get(1, [0])[-1]
        form, field = {FLOAT: ("<f", 5), DOUBLE: ("<d", 6)}.get(kind, ("", 0))
        content = next((t[-1] for t in (tensor.get(4), tensor.get(field)) if form and t), b"")
        if form and isinstance(content, bytes) and len(content) == struct.calcsize(form):
            return float(struct.unpack(form, content)[0])
    return None


def _struct_value(content: bytes) -> Any:
    """Return a google.protobuf.Value: a number, a text, a truth value or None."""
    fields = _fields(content)
    if 2 in fields:
        number = float(struct.unpack("<d", fields[2][-1])[0])
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if 3 in fields:
        return fields[3][-1].decode()
    return bool(fields[4][-1]) if 4 in fields else None


def _records(path: Path) -> Iterator[bytes]:
    content, start = path.read_bytes(), 0
    while start + 12 <= len(content):
        (length,) = struct.unpack_from("<Q", content, start)
        if struct.unpack_from("<I", content, start + 8)[0] != masked_crc(
            content[start : start + 8]
        ):
            raise ValueError(f"{path.name} is damaged at byte {start}, or not an event file")
        end = start + 12 + length
        if end + 4 > len(content):
            return  # the run was killed while it wrote
        record = content[start + 12 : end]
        if struct.unpack_from("<I", content, end)[0] != masked_crc(record):
            raise ValueError(f"{path.name} is damaged at byte {start}")
        yield record
        start = end + 4


def _fields(content: bytes) -> Fields:
    """Return the fields of a protocol buffer by number."""
    fields: Fields = {}
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        number, wire = key >> 3, key & 7
        values = fields.setdefault(number, [])
        if wire == 0:
            integer, at = _varint(content, at)
            values.append(integer)
            continue
        size, at = _varint(content, at) if wire == 2 else ({1: 8, 5: 4}.get(wire, -1), at)
        if size < 0 or at + size > len(content):
            raise ValueError("an event is not a protocol buffer")
        values.append(content[at : at + size])
        at += size
    return fields


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(content):
        byte, at = content[at], at + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("an event ends within a number")


def _signed(number: int) -> int:
    return number - 2**64 if number >= 2**63 else number


@cache
def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (CRC_POLYNOMIAL if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


def masked_crc(content: bytes) -> int:
    """Return the masked CRC-32C with which event files guard their records."""
    table, crc = _crc_table(), 0xFFFFFFFF
    for byte in content:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return (crc >> 15 | crc << 17) + CRC_MASK & 0xFFFFFFFF
