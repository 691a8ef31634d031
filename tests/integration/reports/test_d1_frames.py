"""Of several frames or pages the first is read, which is said once for a folder."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.cli import clip_hparam, sweep
from support.picture_pairs import Picture, assert_read_alike, write_folder

FORMATS = ("tif", "webp", "png")


@pytest.mark.parametrize("suffix", FORMATS)
def test_first_frame_is_read(suffix: str, plain: Path, tmp_path: Path) -> None:
    def write(path: Path, picture: Picture) -> None:
        second = Image.fromarray(255 - picture)
        first = Image.fromarray(picture)
        path = path.with_suffix(f".{suffix}")
        first.save(path, save_all=True, append_images=[second], lossless=True)

    assert_read_alike(plain, write_folder(tmp_path / "frames", write))


def test_further_frames_are_reported_once(plain: Path, tmp_path: Path) -> None:
    for number in (0, 1):
        path = plain / "train" / "dark" / f"{number}.tif"
        path.with_suffix(".png").unlink()
        page = Image.fromarray(np.full((9, 9), 50, np.uint8))
        page.save(path, save_all=True, append_images=[page])
    words = ("data=folder", f"data.root={plain}", "data.shots=6", "batch_size=6")
    dark = plain / "train" / "dark"
    note = f"only the first frame or page is read: {dark / '0.tif'}, {dark / '1.tif'}\n"
    plan = sweep("-m", *words, "lr=1e-3,1e-2", "dry_run=true", cwd=tmp_path)
    assert plan.code == 0, plan.err
    assert plan.err.count(note) == 1
    assert clip_hparam("describe", *words, cwd=tmp_path).out.count(note) == 1
    shift = ("data.shift=folder", f"data.shift_root={plain / 'train'}")
    assert clip_hparam("describe", *words, *shift, cwd=tmp_path).out.count(note) == 2
