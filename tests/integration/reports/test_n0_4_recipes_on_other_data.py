"""A value of one data set does not apply to another."""

from pathlib import Path

import pytest
from support.cli import clip_hparam, plan
from support.image_folders import grow, imagenet

from clip_hparam.cli.hydra_app.compose import compose_recipe
from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.planning.resolve import resolve

PUBLISHED = ("b16", "b16_384", "l14", "l14_336")
RANDOM = ("encoder.pretrained=random", "batch_size=5")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return grow(
        tmp_path / "photos", {"train/a": 10, "train/b": 10, "test/a": 2, "test/b": 2}, ".png"
    )


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_recipe_plans_one_pass_over_other_images(name: str, photos: Path) -> None:
    words = (f"recipe=ft_clip/{name}", *RANDOM, "data=folder", f"data.root={photos}")
    recipe = resolve(compose_recipe(words))
    assert recipe.data.epoch_images == 18
    assert resolve(compose_recipe([*words, "data.epoch_images=90"])).data.epoch_images == 90


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_recipe_keeps_its_epoch_on_imagenet(name: str, tmp_path: Path) -> None:
    root = imagenet(tmp_path / "in")
    words = (f"recipe=ft_clip/{name}", "encoder.pretrained=random", "data=imagenet")
    assert resolve(compose_recipe([*words, f"data.root={root}"])).data.epoch_images == 1281167


def test_mirrored_digits_are_not_trained_on() -> None:
    assert compose_recipe(["recipe=ft_clip/b16", "data=digits"]).hflip == 0.0
    assert compose_recipe(["recipe=ft_clip/b16", "data=imagenet"]).hflip == 0.5


def test_description_has_the_steps_of_the_images(photos: Path, tmp_path: Path) -> None:
    words = ("recipe=ft_clip/b16", "encoder=tiny", "batch_size=5", "resolution=32", "data=folder")
    done = clip_hparam("describe", *words, f"data.root={photos}", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "150 = 50 epochs of 3, 3 of its 18 images unused" in done.out
    assert "passes over" not in done.out


@pytest.mark.parametrize("images", [1281167, 2])
def test_epoch_far_from_the_training_set_is_reported(
    images: int, photos: Path, tmp_path: Path
) -> None:
    words = ("data=folder", f"data.root={photos}", "batch_size=2", f"data.epoch_images={images}")
    told = f"note: an epoch of data.epoch_images={images} draws is {images / 18:.3g} passes over"
    assert told in plan("-m", *words, "dry_run=true", cwd=tmp_path).err
    assert told in clip_hparam("describe", *words, cwd=tmp_path).out


def test_own_recipe_can_bind_a_value_to_a_data_set(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "conf" / "recipe").mkdir(parents=True)
    text = "# @package _global_\ndata:\n  epoch_images: digits:500\n"
    (tmp_path / "conf" / "recipe" / "mine.yaml").write_text(text)
    words = ("-m", "--config-dir", "conf", "recipe=mine", "batch_size=5", "dry_run=true")
    on_digits = plan(*words, cwd=tmp_path)
    assert on_digits.code == 0, on_digits.err
    on_photos = plan(*words, "data=folder", f"data.root={photos}", cwd=tmp_path)
    assert on_photos.code == 0, on_photos.err
    assert (
        resolve(with_values(Recipe(), {"data.epoch_images": "digits:500"})).data.epoch_images == 500
    )


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("imagnet:500", "unknown data.name=imagnet: did you mean imagenet?"),
        ("imagenet:0", "data.epoch_images=0 is outside whole numbers of"),
        ("imagenet:x", "data.epoch_images=imagenet:x is not a whole number of auto | [1, inf)"),
    ],
)
def test_wrong_bound_value_is_refused(value: str, sentence: str, tmp_path: Path) -> None:
    done = plan("-m", f"data.epoch_images={value}", "lr=1e-3,2e-3", cwd=tmp_path)
    assert done.code == 2
    assert done.err.startswith(sentence)
