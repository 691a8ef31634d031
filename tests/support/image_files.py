"""Write PNG, TIFF, PGM and other files of any depth, sign, byte order and transparency."""

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Levels = NDArray[Any]
GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6  # colour types of PNG
Chunk = tuple[bytes, bytes]


def write_png(
    path: Path,
    samples: Levels,
    colour_type: int,
    depth: int,
    before: Sequence[Chunk] = (),
    after: Sequence[Chunk] = (),
) -> Path:
    """Write a PNG.

    samples: whole numbers below 2 ** depth, shape (height, width) or (height, width, channels).
    before, after: chunks before and after the pixels.
    """
    height, width = samples.shape[:2]
    rows = samples.reshape(height, -1)
    packed = pack_bits(rows, depth) if depth < 8 else rows.astype(f">u{depth // 8}")
    pixels = b"".join(b"\0" + row.tobytes() for row in packed)
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), *before, (b"IDAT", zlib.compress(pixels)), *after, (b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks))
    return path


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG with its length and checksum."""
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def write_tiff(
    path: Path,
    samples: Levels,
    bits: int,
    *,
    photometric: int = 1,
    sample_format: int = 1,
    extra_sample: int | None = None,
    big_endian: bool = False,
    deflate: bool = False,
    in_planes: bool = False,
) -> Path:
    """Write a TIFF of one strip, or of one for each channel (whole bytes, not deflated).

    samples: shape (height, width) or (height, width, channels), of the dtype to write; 1, 2, 4 and
        12 bits are packed.
    """
    endian = ">" if big_endian else "<"
    height, width = samples.shape[:2]
    channels = samples.shape[2] if samples.ndim == 3 else 1
    packed = pack_bits(samples, bits) if bits % 8 else _in_order(samples, endian)
    pixels = (packed.transpose(2, 0, 1) if in_planes else packed).tobytes()
    pixels = zlib.compress(pixels) if deflate else pixels
    strips = channels if in_planes else 1
    tags: dict[int, tuple[str, list[int]]] = {
        256: ("I", [width]),
        257: ("I", [height]),
        258: ("H", [bits] * channels),
        259: ("H", [8 if deflate else 1]),
        262: ("H", [photometric]),
        273: ("I", [0] * strips),
        277: ("H", [channels]),
        278: ("I", [height]),
        279: ("I", [len(pixels) // strips] * strips),
        284: ("H", [2] if in_planes else []),
        338: ("H", [] if extra_sample is None else [extra_sample]),
        339: ("H", [sample_format] * channels),
    }
    tags = {tag: value for tag, value in tags.items() if value[1]}
    start = 8 + 2 + 12 * len(tags) + 4
    first = start + sum(len(_tiff_value(endian, *v)) for v in tags.values() if _is_long(v))
    tags[273] = ("I", [first + strip * len(pixels) // strips for strip in range(strips)])
    beside = b"".join(_tiff_value(endian, *value) for value in tags.values() if _is_long(value))
    directory = struct.pack(f"{endian}H", len(tags))
    for tag, (code, values) in tags.items():
        content = _tiff_value(endian, code, values)
        if _is_long((code, values)):
            field = struct.pack(f"{endian}I", start)
            start += len(content)
        else:
            field = content.ljust(4, b"\0")
        kind = {"H": 3, "I": 4}[code]
        directory += struct.pack(f"{endian}HHI", tag, kind, len(values)) + field
    head = (b"MM\0*" if big_endian else b"II*\0") + struct.pack(f"{endian}I", 8)
    path.write_bytes(head + directory + struct.pack(f"{endian}I", 0) + beside + pixels)
    return path


def _in_order(samples: Levels, endian: str) -> Levels:
    return samples.astype(samples.dtype.newbyteorder(endian))


def _tiff_value(endian: str, code: str, values: Sequence[int]) -> bytes:
    return struct.pack(f"{endian}{len(values)}{code}", *values)


def _is_long(value: tuple[str, list[int]]) -> bool:
    return struct.calcsize(f"<{len(value[1])}{value[0]}") > 4


def pack_bits(samples: Levels, bits: int) -> Levels:
    """Return levels of few bits as bytes; each row begins a byte."""
    digits = (samples[..., None] >> np.arange(bits)[::-1]) & 1
    return np.packbits(digits.reshape(len(samples), -1).astype(np.uint8), axis=1)


def write_pgm(path: Path, samples: Levels, maxval: int, plain: bool = False) -> Path:
    """Write a PGM, or a PPM for samples of shape (height, width, 3)."""
    height, width = samples.shape[:2]
    magic = {(2, False): b"P5", (2, True): b"P2", (3, False): b"P6", (3, True): b"P3"}
    head = b"%s %d %d %d\n" % (magic[samples.ndim, plain], width, height, maxval)
    words = " ".join(map(str, samples.ravel().tolist())).encode()
    binary = samples.astype("u1" if maxval < 256 else ">u2").tobytes()
    path.write_bytes(head + (words if plain else binary))
    return path


def exif_of(orientation: int) -> bytes:
    """Return EXIF data, without a header, that hold an orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes().removeprefix(b"Exif\0\0")
