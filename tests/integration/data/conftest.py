"""Fixtures of the tests of reports."""

from pathlib import Path

import pytest
from support.picture_pairs import write_folder, write_png


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a folder of 8-bit pictures, and use an empty cache."""
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))
    return write_folder(tmp_path / "plain", write_png)
