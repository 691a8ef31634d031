"""The rules enter a fingerprint where they change a file; new files only are opened."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.image_files import GREY, exif_of, write_png

from clip_hparam.data.file_index import index_folder
from clip_hparam.data.reading import scan as module
from clip_hparam.data.reading.scan import HeaderScan, scan_headers

OLD = 60 * 10**9  # ns; a folder that has just changed is not trusted


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "images"
    (root / "a").mkdir(parents=True)
    for name in ("1.png", "2.png", "\udcff.png"):
        write_png(root / "a" / name, np.array([[7, 8]]), GREY, 8)
    settle(root)
    return root


def settle(root: Path) -> None:
    """Set the modification times of all folders back."""
    for folder in (root, root / "a"):
        stat = folder.stat()
        os.utime(folder, ns=(stat.st_atime_ns, stat.st_mtime_ns - OLD))


def scanned(root: Path, official: bool = False) -> HeaderScan:
    return scan_headers(root, index_folder(root), official)


def identity(root: Path, official: bool = False) -> str:
    return scanned(root, official).identify(index_folder(root).fingerprint)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by the name of each file that is opened."""
    names: list[str] = []
    read = module.read_facts

    def counted(path: Path) -> module.HeaderFacts:
        names.append(path.name)
        return read(path)

    monkeypatch.setattr(module, "read_facts", counted)
    return names


def test_fingerprint_stays_where_the_rules_change_nothing(root: Path) -> None:
    assert scanned(root) == HeaderScan(changed=0, with_frames=())
    assert identity(root) == index_folder(root).fingerprint


def test_rules_are_in_the_fingerprint_of_a_folder_that_they_change(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_png(root / "a" / "3.png", np.array([[7]]), GREY, 16)
    assert scanned(root).changed == 1
    first = identity(root)
    assert first != index_folder(root).fingerprint
    turned = Image.fromarray(np.zeros((3, 4), np.uint8))
    turned.save(root / "a" / "4.tif", exif=b"Exif\0\0" + exif_of(6))
    assert scanned(root).reread == 1
    second = identity(root)
    monkeypatch.setattr(module, "RULES_VERSION", 3)
    assert identity(root) not in (first, second, index_folder(root).fingerprint)


def test_files_with_frames_are_listed(root: Path) -> None:
    first, second = (Image.new("L", (4, 3), level) for level in (0, 255))
    first.save(root / "a" / "pages.tif", save_all=True, append_images=[second])
    assert scanned(root) == HeaderScan(changed=0, with_frames=("a/pages.tif",))
    assert identity(root) == index_folder(root).fingerprint


def test_official_reading_ignores_orientation_and_opens_no_jpeg(
    root: Path, opened: list[str]
) -> None:
    write_png(root / "a" / "turned.png", np.array([[7]]), GREY, 8, [(b"eXIf", exif_of(6))])
    shutil.copy(root / "a" / "turned.png", root / "a" / "turned.JPEG")
    assert scanned(root, official=True).changed == 0
    assert "turned.JPEG" not in opened
    assert scanned(root).changed == 2
    assert opened.count("turned.png") == 1


def test_second_scan_opens_and_asks_nothing(
    root: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = scanned(root)
    assert sorted(opened) == ["1.png", "2.png", "\udcff.png"]
    monkeypatch.setattr(module, "_stamp", lambda path: pytest.fail(f"asked for {path}"))
    assert scanned(root) == first
    assert len(opened) == 3


def test_only_new_and_changed_files_are_opened(root: Path, opened: list[str]) -> None:
    scanned(root)
    opened.clear()
    write_png(root / "a" / "new.png", np.array([[7]]), GREY, 16)
    write_png(root / "a" / "2.png", np.array([[7]]), GREY, 16)
    (root / "a" / "1.png").unlink()
    assert scanned(root).changed == 2
    assert sorted(opened) == ["2.png", "new.png"]
    settle(root)
    assert scanned(root).changed == 2
    assert sorted(opened) == ["2.png", "new.png"]


@pytest.mark.parametrize("damage", ["", "{}", '{"rules": 1, "files": "a"}', "nonsense"])
def test_damaged_cache_is_rebuilt(damage: str, root: Path) -> None:
    first = scanned(root)
    for entry in (Path(os.environ["CLIP_HPARAM_CACHE"]) / "headers").iterdir():
        entry.write_text(damage)
    assert scanned(root) == first


def test_scan_works_without_a_writable_cache(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIP_HPARAM_CACHE", "/proc/nowhere")
    assert scanned(root).changed == 0


def test_a_broken_link_has_no_facts(root: Path) -> None:
    index = index_folder(root)
    (root / "a" / "1.png").unlink()
    assert scan_headers(root, index).changed == 0
