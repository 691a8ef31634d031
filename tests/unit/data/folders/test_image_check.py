"""Each file is decoded once; verdicts are kept by path, size, time and reading rules."""

import os
from pathlib import Path

import pytest
from support.image_folders import grow

from clip_hparam.data.dataset import ImageFiles
from clip_hparam.data.file_index import index_folder
from clip_hparam.data.folders import image_check
from clip_hparam.data.folders.image_check import check_files, known_unreadable
from clip_hparam.data.folders.labelled_folder import image_files


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageFiles:
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))
    root = grow(tmp_path / "images", {"a": 5, "b": 5}, ".png")
    (root / "b" / "1.png").write_bytes(b"no image")
    return image_files(root, index_folder(root))


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by the name of each file that is decoded."""
    seen: list[str] = []
    read = image_check.read_image

    def counted(path: Path, official: bool, content: bytes | None) -> object:
        seen.append(f"{path.parent.name}/{path.name}")
        return read(path, official, content)

    monkeypatch.setattr(image_check, "read_image", counted)
    return seen


def test_second_check_decodes_nothing(files: ImageFiles, decoded: list[str]) -> None:
    first = check_files(files)
    assert list(first) == [6]
    assert first[6].startswith(f"{files.path(6)} cannot be read as an image")
    assert check_files(files) == first
    assert len(decoded) == 10


def test_changed_file_is_decoded_again(files: ImageFiles, decoded: list[str]) -> None:
    check_files(files)
    files.path(6).write_bytes(files.path(0).read_bytes())
    os.utime(files.path(0), (1, 1))
    assert check_files(files) == {}
    assert decoded[10:] == ["a/0.png", "b/1.png"]


def test_verdict_of_other_reading_rules_is_not_used(
    files: ImageFiles, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    check_files(files)
    monkeypatch.setattr(image_check, "reader_version", lambda: "next")
    check_files(files)
    assert len(decoded) == 20


def test_parts_of_a_root_share_their_verdicts(files: ImageFiles, decoded: list[str]) -> None:
    indices = [index for index in range(10) if index % 2]
    check_files(files[indices])  # type: ignore[index]
    check_files(files)
    assert len(decoded) == 10
    check_files(files[indices])  # type: ignore[index]
    assert len(decoded) == 10


@pytest.mark.parametrize("damage", ["", "{}", '{"files": 3}', "nonsense"])
def test_damaged_cache_is_ignored(files: ImageFiles, damage: str, tmp_path: Path) -> None:
    first = check_files(files)
    for kind in ("readable", "checked"):
        for entry in (tmp_path / "cache" / kind).iterdir():
            entry.write_text(damage)
    assert check_files(files) == first


def test_check_works_without_a_writable_cache(
    files: ImageFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIP_HPARAM_CACHE", "/proc/nowhere")
    assert list(check_files(files)) == [6]


def test_processes_give_the_verdicts_of_one_process(
    files: ImageFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_check, "MIN_PARALLEL", 1)
    monkeypatch.setattr(image_check, "CHUNK_SIZE", 3)
    reports: list[int] = []
    assert list(check_files(files, reports.append)) == [6]
    assert sum(reports) == 10


def test_many_files_are_decoded_only_when_asked(
    files: ImageFiles, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_check, "MAX_FILES_UNASKED", 9)
    assert known_unreadable([files]) is None
    assert decoded == []
    first = check_files(files)
    assert known_unreadable([files]) == [first]
    assert len(decoded) == 10


def test_interrupted_check_resumes(
    files: ImageFiles, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_check, "BLOCK_SIZE", 4)

    def interrupt(files: int) -> None:
        if len(decoded) > 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_files(files, interrupt)
    assert len(decoded) == 10
    check_files(files)
    assert decoded[10:] == ["b/3.png", "b/4.png"]
