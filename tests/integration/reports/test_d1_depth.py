"""Grey of 16 bits is scaled by the range of its type, and not read as white."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from support.cli import sweep
from support.image_files import GREY, write_pgm, write_tiff
from support.image_files import write_png as write_png_samples
from support.picture_pairs import (
    Picture,
    Write,
    assert_read_alike,
    trained_metrics,
    write_folder,
)


def in_16_bits(picture: Picture) -> NDArray[np.uint16]:
    return picture[..., 0].astype(np.uint16) * 257


def write_deep_png(path: Path, picture: Picture) -> None:
    write_png_samples(path.with_suffix(".png"), in_16_bits(picture), GREY, 16)


FORMS: dict[str, Write] = {
    "png": write_deep_png,
    "tiff": lambda path, picture: write_tiff(
        path.with_suffix(".tif"), in_16_bits(picture), 16, big_endian=True
    ),
    "signed tiff": lambda path, picture: write_tiff(
        path.with_suffix(".tif"),
        (in_16_bits(picture) - 2.0**15).astype("i2"),
        16,
        sample_format=2,
        deflate=True,
    ),
    "pgm": lambda path, picture: write_pgm(path.with_suffix(".pgm"), in_16_bits(picture), 65535),
    "pgm of 12 bits": lambda path, picture: write_pgm(
        path.with_suffix(".pgm"), np.rint(picture[..., 0] * (4095 / 255)).astype(int), 4095
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_deep_grey_is_read_as_the_8_bit_picture(form: str, plain: Path, tmp_path: Path) -> None:
    assert_read_alike(plain, write_folder(tmp_path / "deep", FORMS[form]))


def test_training_on_deep_grey_gives_the_numbers_of_8_bits(plain: Path, tmp_path: Path) -> None:
    deep = write_folder(tmp_path / "deep", write_deep_png)
    metrics = trained_metrics(deep, tmp_path / "of_deep")
    assert metrics == trained_metrics(plain, tmp_path / "of_plain")
    assert metrics["test_acc1.raw.last"] == 100


def test_floating_point_pictures_are_refused_by_name(plain: Path, tmp_path: Path) -> None:
    path = plain / "test" / "dark" / "0.tif"
    path.with_suffix(".png").unlink()
    Image.fromarray(np.zeros((9, 9), np.float32)).save(path)
    done = sweep("data=folder", f"data.root={plain}", "data.shots=6", "epochs=1", cwd=tmp_path)
    assert done.code == 2
    assert f"{path} cannot be read as an image (its pixels are floating-point numbers" in done.err
    assert "Traceback" not in done.err
