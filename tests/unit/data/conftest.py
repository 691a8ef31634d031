"""A cache of folders that belongs to one test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clip_hparam.data import distribution_shift, image_folder
from clip_hparam.data.packs import load


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the user's cache into the folder of the test, and forget the folders that it loaded."""
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))
    yield
    image_folder.load_imagenet_tree.cache_clear()
    for loader in (load.load_imagenet, load.load_shards, load.load_parquet):
        loader.cache_clear()
    image_folder.load_image_folder.cache_clear()
    distribution_shift._load_class_folders.cache_clear()
