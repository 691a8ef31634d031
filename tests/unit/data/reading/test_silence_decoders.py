"""Decoders print nothing, and the process is afterwards as it was."""

import logging
import os
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.image_files import write_tiff

from clip_hparam.data.reading.errors import UnreadableImageError
from clip_hparam.data.reading.image import read_image
from clip_hparam.data.reading.silence_decoders import SILENT, silence_pillow


def damaged_tiff(path: Path) -> Path:
    write_tiff(path, np.zeros((9, 9), np.uint8), 8, deflate=True)
    content = bytearray(path.read_bytes())
    content[-6] ^= 255
    path.write_bytes(content)
    return path


def tiff_of_many_samples(path: Path) -> Path:
    """Write a TIFF about whose number of samples Pillow logs an error."""
    write_tiff(path, np.zeros((9, 9), np.uint8), 8)
    content = path.read_bytes()
    samples = b"\x15\x01\x03\0\x01\0\0\0\x01\0"
    path.write_bytes(content.replace(samples, samples[:-2] + b"\xff\xff"))
    return path


@pytest.mark.parametrize("write", [damaged_tiff, tiff_of_many_samples])
def test_nothing_is_printed_about_a_damaged_file(
    write: Callable[[Path], Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "image.tif")
    with pytest.raises(UnreadableImageError):
        read_image(path)
    assert capfd.readouterr() == ("", "")


def test_stderr_loggers_and_filters_are_restored(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    before = warnings.filters[:]
    with pytest.raises(UnreadableImageError):
        read_image(damaged_tiff(tmp_path / "image.tif"))
    assert warnings.filters == before
    os.write(2, b"seen")
    assert capfd.readouterr().err == "seen"
    logging.getLogger("PIL.TiffImagePlugin").error("logged")
    assert caplog.messages == ["logged"]


def test_inner_call_changes_no_level(monkeypatch: pytest.MonkeyPatch) -> None:
    logger, levels = logging.getLogger("PIL"), []
    set_level = logger.setLevel
    monkeypatch.setattr(logger, "setLevel", lambda level: (levels.append(level), set_level(level)))
    before = logger.level
    with silence_pillow():
        for _ in range(3):
            with silence_pillow():
                assert logger.level == SILENT
    assert levels == [SILENT, before]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_no_file_descriptor_is_left_open(tmp_path: Path) -> None:
    path = damaged_tiff(tmp_path / "image.tif")
    count = open_files()
    for _ in range(3):
        with pytest.raises(UnreadableImageError):
            read_image(path)
    assert open_files() == count
