"""Fixtures of the tests of weights: an empty cache, a hub without files, and a small model."""

from pathlib import Path

import huggingface_hub
import open_clip
import pytest
import torch

from clip_hparam.model.tiny_clip import model as tiny_clip


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start with empty caches and a fake hub that can be reached."""
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", lambda *_: None)


@pytest.fixture(scope="module")
def clip() -> open_clip.CLIP:
    """Return a two-tower model with random weights."""
    torch.manual_seed(1)
    return open_clip.CLIP(**tiny_clip.model_config()).eval()
