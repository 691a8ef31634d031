"""A folder index is cached and rebuilt when a file was added, removed or renamed."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support import image_folders

from clip_hparam.data import file_index as module
from clip_hparam.data.file_index import index_folder


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))
    root = image_folders.grow(tmp_path / "images", {"b": 3, "a": 2, "a/deeper": 1})
    settle(root)
    return root


def settle(root: Path) -> None:
    """Set the modification times of all folders one minute back."""
    for folder in [root, *filter(Path.is_dir, root.rglob("*"))]:
        stat = folder.stat()
        os.utime(folder, ns=(stat.st_atime_ns, stat.st_mtime_ns - 60 * 10**9))


def listings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return a list that grows by the root of each folder that is listed."""
    seen: list[Path] = []
    listing = module._list_files

    def counted(root: Path) -> tuple[dict[str, int], dict[str, int], dict[str, dict[str, int]]]:
        seen.append(root)
        return listing(root)

    monkeypatch.setattr(module, "_list_files", counted)
    return seen


def test_index_holds_sorted_relative_paths_with_sizes(root: Path) -> None:
    listed = index_folder(root)
    assert listed.paths == tuple(
        sorted(str(path.relative_to(root)) for path in root.rglob("*.JPEG"))
    )
    assert listed.sizes == tuple((root / path).stat().st_size for path in listed.paths)
    assert listed.folders == ("", "a/", "a/deeper/", "b/")


def test_hidden_files_and_other_suffixes_are_left_out(root: Path) -> None:
    before = index_folder(root).fingerprint
    for name in ("b/.hidden.jpg", "b/notes.txt", ".thumbs/1.jpg", "b/noext"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"x")
    assert index_folder(root).fingerprint == before


def test_second_index_is_read_from_the_cache(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = listings(monkeypatch)
    first = index_folder(root)
    assert index_folder(root) == first
    assert seen == [root]


def add(root: Path) -> None:
    shutil.copy(root / "b" / "0.JPEG", root / "b" / "9.JPEG")


def remove(root: Path) -> None:
    (root / "a" / "deeper" / "0.JPEG").unlink()


def rename(root: Path) -> None:
    (root / "a" / "0.JPEG").rename(root / "a" / "7.JPEG")


def remove_a_class(root: Path) -> None:
    shutil.rmtree(root / "b")


@pytest.mark.parametrize("change", [add, remove, rename, remove_a_class])
def test_changed_folder_invalidates_the_cache(root: Path, change: Callable[[Path], None]) -> None:
    before = index_folder(root).fingerprint
    change(root)
    assert index_folder(root).fingerprint != before


def test_fingerprint_depends_on_file_sizes(root: Path) -> None:
    before = index_folder(root).fingerprint
    shutil.rmtree(Path(os.environ["CLIP_HPARAM_CACHE"]))
    with (root / "a" / "0.JPEG").open("ab") as file:
        file.write(b"x")
    assert index_folder(root).fingerprint != before


def test_index_of_a_folder_written_just_now_is_not_cached(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(root)
    seen = listings(monkeypatch)
    index_folder(root)
    index_folder(root)
    assert len(seen) == 2


def test_fingerprint_does_not_depend_on_the_location(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "moved")
    assert index_folder(root).fingerprint == index_folder(tmp_path / "moved").fingerprint


@pytest.mark.parametrize("damage", ["", "{}", '{"folders": {}, "files": ""}', "nonsense"])
def test_damaged_cache_entry_is_rebuilt(root: Path, damage: str) -> None:
    first = index_folder(root)
    for entry in (Path(os.environ["CLIP_HPARAM_CACHE"]) / "manifest").iterdir():
        entry.write_text(damage)
    assert index_folder(root) == first


def test_index_works_without_a_writable_cache(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = index_folder(root)
    monkeypatch.setenv("CLIP_HPARAM_CACHE", "/proc/nowhere")
    assert index_folder(root) == before


def test_indexing_writes_nothing_into_the_folder(root: Path) -> None:
    before = sorted(root.rglob("*"))
    index_folder(root)
    assert sorted(root.rglob("*")) == before


def test_ignored_files_are_counted_by_class_and_suffix(root: Path) -> None:
    for name in ("a/1.heic", "a/deeper/2.HEIC", "b/notes", "b/.hidden", "top.txt"):
        (root / name).write_bytes(b"x")
    settle(root)
    expected = {"": {".txt": 1}, "a": {".heic": 2}, "b": {"": 1}}
    assert index_folder(root).ignored == expected
    assert index_folder(root).ignored == expected  # from the cache


def test_link_beside_its_target_is_followed(root: Path) -> None:
    (root / "c").symlink_to("a")
    assert index_folder(root).paths[-3:] == ("c/0.JPEG", "c/1.JPEG", "c/deeper/0.JPEG")


@pytest.mark.parametrize(("link", "target"), [("a/deeper/up", "../.."), ("a/out", "/")])
def test_link_to_a_folder_above_is_refused(root: Path, link: str, target: str) -> None:
    (root / link).symlink_to(target)
    with pytest.raises(ValueError, match=f"{link}/? is a link to a folder that holds it"):
        index_folder(root)


def test_link_to_no_file_is_an_image_of_no_bytes(root: Path) -> None:
    (root / "a" / "9.png").symlink_to("nowhere")
    listed = index_folder(root)
    assert dict(zip(listed.paths, listed.sizes, strict=True))["a/9.png"] == 0
