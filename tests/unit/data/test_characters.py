"""Rendered characters: functions of (seed, index), cached on disk, the same for every seed."""

from pathlib import Path

import numpy as np
import pytest

from clip_hparam.data import characters
from clip_hparam.data.dataset import TEST, ImageDataset
from clip_hparam.model.tiny_clip.captions import captions, tokenize
from clip_hparam.model.tiny_clip.scenes import SCENE_SIZE, render_scene
from clip_hparam.model.tiny_clip.typefaces import HELD_OUT_FACES, TRAIN_FACES


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path))
    monkeypatch.setattr(characters, "TRAIN_PER_CLASS", 3)
    monkeypatch.setattr(characters, "TEST_PER_CLASS", 2)
    return tmp_path


def load_anew() -> ImageDataset:
    """Load as a new process does; the result of other tests stays cached."""
    return characters.load_characters.__wrapped__()


def test_scenes_are_a_function_of_seed_and_index() -> None:
    scene = render_scene(1, 25, characters.CLASSES, HELD_OUT_FACES)
    assert scene.image.shape == (SCENE_SIZE, SCENE_SIZE, 3)
    assert scene.character == characters.CLASSES[5]
    again = render_scene(1, 25, characters.CLASSES, HELD_OUT_FACES)
    np.testing.assert_array_equal(scene.image, again.image)
    for other in ((2, 25), (1, 45)):
        assert (render_scene(*other, characters.CLASSES, HELD_OUT_FACES).image != scene.image).any()


def test_scenes_have_detail_above_32_px() -> None:
    """Halving the resolution loses more than the pixel noise."""
    scenes = [render_scene(0, index, "8", HELD_OUT_FACES).image for index in range(20)]
    images = np.stack(scenes).astype(float)
    halved = images.reshape(20, 32, 2, 32, 2, 3).mean((2, 4)).repeat(2, 1).repeat(2, 2)
    assert np.sqrt(np.mean((images - halved) ** 2)) > 8


def test_captions_of_scenes_are_in_the_vocabulary() -> None:
    for index in range(62):
        scene = render_scene(0, index, characters.CLASSES, TRAIN_FACES)
        for caption in captions(scene.character, scene.style):
            assert len(tokenize(caption)) == 16


def test_data_set_is_balanced_and_its_test_images_are_no_training_images(cache: Path) -> None:
    dataset = load_anew()
    test = dataset.eval_sets[TEST]
    assert (dataset.train.shape, test.images.shape) == ((60, 3, 64, 64), (40, 3, 64, 64))
    assert np.bincount(dataset.train_labels).tolist() == [3] * 20
    assert np.bincount(test.labels).tolist() == [2] * 20
    distance = np.abs(dataset.train[:, None].astype(int) - test.images[None].astype(int))
    assert distance.mean((2, 3, 4)).min() > 1


def test_second_load_reads_the_file_that_the_first_wrote(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_anew()
    assert len(list(cache.glob("characters/*.npy"))) == 2
    monkeypatch.setattr(characters, "render_characters", None)
    second = load_anew()
    assert second.fingerprint == first.fingerprint
    np.testing.assert_array_equal(second.train, first.train)


def test_only_the_first_load_prints_a_line(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    characters._announce_rendering.cache_clear()
    load_anew()
    assert capsys.readouterr().err.startswith("data=characters: rendering 100 images, about 0 s")
    load_anew()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("size", [0, 5, 1000])
def test_file_that_was_cut_short_is_rendered_again(size: int, cache: Path) -> None:
    first = load_anew()
    for path in cache.glob("characters/*.npy"):
        path.write_bytes(path.read_bytes()[:size])
    assert load_anew().fingerprint == first.fingerprint


def test_folder_that_cannot_be_written_changes_nothing(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_anew()
    (cache / "file").write_text("")
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(cache / "file"))
    assert load_anew().fingerprint == first.fingerprint
