"""Corrupted test images and glyphs are the same in each process."""

from pathlib import Path

import numpy as np
import pytest
from support.image_folders import grow

from clip_hparam.data.digits import load_digits
from clip_hparam.data.evaluation_sets.generated_sets import load_corrupted, load_glyphs
from clip_hparam.data.image_folder import load_image_folder


def test_corrupted_images_keep_the_labels_of_the_test_set() -> None:
    digits = load_digits()
    one, other = (load_corrupted(digits, severity) for severity in (1, 5))
    np.testing.assert_array_equal(one.labels, digits.test.labels)
    assert one.images.shape == (len(digits.test.labels), 3, 32, 32)  # type: ignore[union-attr]
    assert one.fingerprint != other.fingerprint
    assert load_corrupted(digits, 1).fingerprint == one.fingerprint


def test_images_in_files_are_not_corrupted(tmp_path: Path, own_cache: None) -> None:
    dataset = load_image_folder(grow(tmp_path / "train", {"a": 3, "b": 3}))
    with pytest.raises(ValueError, match="corrupts images in memory, and these are in files"):
        load_corrupted(dataset, 1)


def test_each_character_has_ten_glyphs() -> None:
    glyphs = load_glyphs()
    assert np.bincount(glyphs.labels).tolist() == [10] * 62
    assert glyphs.zero_shot
    assert glyphs.class_names[:11] == (*"0123456789", "A")
