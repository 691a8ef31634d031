"""Pictures that are stored turned are turned upright, according to their metadata."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.image_files import COLOUR, exif_of
from support.image_files import write_png as write_png_samples
from support.picture_pairs import (
    Picture,
    Write,
    assert_read_alike,
    draw_picture,
    resolve_folder,
    trained_metrics,
    write_folder,
)

from clip_hparam.config.recipe import Data
from clip_hparam.data.datasets import load_dataset
from clip_hparam.data.loading.read_request import open_image
from clip_hparam.data.reading.image import read_image

TURN = {1: 0, 3: 2, 6: 1, 8: 3}  # quarter turns to the left that each orientation takes back


def write_turned_png(path: Path, picture: Picture, orientation: int = 6) -> None:
    stored = np.rot90(picture, TURN[orientation])
    exif = [(b"eXIf", exif_of(orientation))]
    write_png_samples(path.with_suffix(".png"), stored, COLOUR, 8, after=exif)


def write_webp(path: Path, picture: Picture, orientation: int = 8) -> None:
    stored = np.ascontiguousarray(np.rot90(picture, TURN[orientation]))
    exif = b"Exif\0\0" + exif_of(orientation)
    Image.fromarray(stored).save(path.with_suffix(".webp"), lossless=True, exif=exif)


def write_each_orientation(path: Path, picture: Picture) -> None:
    write_turned_png(path, picture, tuple(TURN)[int(path.name) % len(TURN)])


FORMS: dict[str, Write] = {
    "png": write_turned_png,
    "webp": write_webp,
    "several orientations": write_each_orientation,
}


@pytest.mark.parametrize("form", FORMS)
def test_turned_pictures_are_read_upright(form: str, plain: Path, tmp_path: Path) -> None:
    assert_read_alike(plain, write_folder(tmp_path / "turned", FORMS[form]))


def test_training_on_turned_pictures_gives_the_numbers_of_upright_ones(
    plain: Path, tmp_path: Path
) -> None:
    turned = write_folder(tmp_path / "turned", write_turned_png)
    metrics = trained_metrics(turned, tmp_path / "of_turned")
    assert metrics == trained_metrics(plain, tmp_path / "of_plain")


def test_orientation_enters_the_fingerprint(plain: Path, tmp_path: Path) -> None:
    """Two folders differ in the orientation of their files, and in no name or size."""

    def write(orientation: int) -> Path:
        exif = [(b"eXIf", exif_of(orientation))]
        return write_folder(
            tmp_path / str(orientation),
            lambda path, picture: write_png_samples(
                path.with_suffix(".png"), picture, COLOUR, 8, exif
            ),
        )

    upright, turned = (resolve_folder(write(number), plain).data.fingerprint for number in (1, 3))
    assert upright != turned


def write_wordnet_folders(root: Path, orientation: int) -> Path:
    exif = b"Exif\0\0" + exif_of(orientation)
    for part in ("train", "val"):
        for label, name in enumerate(("n01440764", "n01443537")):
            folder = root / part / name
            folder.mkdir(parents=True)
            for number in range(4):
                stored = np.ascontiguousarray(np.rot90(draw_picture(label, number)))
                Image.fromarray(stored).save(folder / f"{number}.JPEG", exif=exif)
    return root


def test_imagenet_and_its_shift_ignore_the_orientation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))
    roots = {
        orientation: write_wordnet_folders(tmp_path / str(orientation), orientation)
        for orientation in (1, 6)
    }
    datasets = [
        load_dataset(
            Data(name="imagenet", root=str(root), shift="folder", shift_root=str(root / "val"))
        )
        for root in roots.values()
    ]
    assert datasets[0].fingerprint == datasets[1].fingerprint
    for images in (datasets[1].train, *(one.images for one in datasets[1].eval_sets.values())):
        assert open_image(images, 0).size == (24, 40)
    folder = load_dataset(Data(name="folder", root=str(roots[6])))
    assert open_image(folder.train, 0).size == (40, 24)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["L", "I;16", "CMYK", "P"])
def test_uncompressed_tiffs_are_turned_as_compressed_ones(
    mode: str, orientation: int, tmp_path: Path
) -> None:
    depth = np.uint16 if mode == "I;16" else np.uint8
    levels = np.arange(24).reshape(4, 6) * (np.iinfo(depth).max // 24)
    picture = Image.fromarray(levels.astype(depth))
    picture = picture if mode == "I;16" else picture.convert(mode)
    exif = b"Exif\0\0" + exif_of(orientation)
    for name, compression in (("plain", "raw"), ("packed", "tiff_lzw")):
        picture.save(tmp_path / f"{name}.tif", exif=exif, compression=compression)
    plain, packed = (read_image(tmp_path / f"{name}.tif") for name in ("plain", "packed"))
    assert plain.size == ((4, 6) if orientation > 4 else (6, 4))
    assert np.array_equal(np.asarray(plain), np.asarray(packed))
