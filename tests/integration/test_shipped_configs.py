"""Every file in conf/ composes and resolves; published recipes equal the published runs."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from support import image_folders
from support.cli import ROOT
from support.data_files import data_root

from clip_hparam.cli.hydra_app.compose import compose_recipe
from clip_hparam.config.recipe import Recipe
from clip_hparam.config.steps import steps_per_epoch, total_steps, warmup_steps
from clip_hparam.data import characters
from clip_hparam.data.datasets import dataset_spec
from clip_hparam.model.architectures import model_config
from clip_hparam.model.classifier import Classifier, count_parameters, freeze, set_resolution
from clip_hparam.model.tower import create_tower
from clip_hparam.planning.estimates.flops import trainable_and_frozen
from clip_hparam.planning.resolve import resolve
from clip_hparam.training.optim.lr_schedule import lr_schedule
from clip_hparam.training.optim.param_groups import param_groups

DATA = Path(__file__).parents[1] / "data"
with (DATA / "ft_clip_lr.csv").open() as file:
    LOGGED = list(csv.DictReader(file))
GROUPS = json.loads((DATA / "ft_clip_b16_param_groups.json").read_text())
CLASSES, BLOCKS = 1000, {"b16": 12, "b16_384": 12, "l14": 24, "l14_336": 24}


def options(group: str) -> list[str]:
    """Return the options of a config group: the files below conf/<group>."""
    folder = ROOT / "conf" / group
    return sorted(str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.yaml"))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image_folders.imagenet(tmp_path_factory.mktemp("conf") / "images")


@pytest.fixture(autouse=True)
def _separate_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIP_HPARAM_CACHE", str(tmp_path))


def real_recipe(name: str, tree: Path) -> Recipe:
    chosen = [f"recipe={name}", "encoder.pretrained=random"]
    return resolve(compose_recipe([*chosen, "data=imagenet", f"data.root={tree}"]))


def published_recipe(name: str, tree: Path) -> Recipe:
    return real_recipe(f"ft_clip/{name}", tree)


@pytest.mark.parametrize("name", options("recipe"))
def test_recipe_composes_and_resolves(name: str, tree: Path) -> None:
    if name == "default" or name.startswith("tiny/"):
        recipe = resolve(compose_recipe([f"recipe={name}"]))
    else:
        recipe = real_recipe(name, tree)
    assert 0 < warmup_steps(recipe) < total_steps(recipe)


@pytest.mark.parametrize("name", options("encoder"))
def test_encoder_composes_and_resolves(name: str) -> None:
    chosen = compose_recipe([f"encoder={name}"]).encoder
    assert chosen.pretrained in ("tiny", "random", "openai")
    recipe = resolve(compose_recipe([f"encoder={name}", "encoder.pretrained=random"]))
    assert (recipe.encoder.name, recipe.encoder.weights) == (chosen.name, "random")


@pytest.fixture
def _few_characters(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Render 80 characters a class instead of 600, which takes 20 s."""
    monkeypatch.setattr(characters, "TRAIN_PER_CLASS", 70)
    monkeypatch.setattr(characters, "TEST_PER_CLASS", 1)
    characters.load_characters.cache_clear()
    yield
    characters.load_characters.cache_clear()


@pytest.mark.usefixtures("_few_characters")
@pytest.mark.parametrize("name", options("data"))
def test_data_set_composes_and_resolves(name: str, tmp_path: Path) -> None:
    words = ["data.shots=20"]
    if dataset_spec(name).layout:
        words = [f"data.root={data_root(name, tmp_path)}", "batch_size=2"]
    recipe = resolve(compose_recipe([f"data={name}", *words]))
    assert recipe.data.name == name
    assert len(recipe.data.fingerprint) == 64


@pytest.mark.parametrize("name", options("machine"))
def test_machine_composes_and_changes_no_recipe(name: str) -> None:
    assert resolve(compose_recipe([f"machine={name}"])) == resolve(compose_recipe([]))


def test_published_recipes_are_those_of_the_four_logs() -> None:
    assert options("recipe/ft_clip") == sorted(BLOCKS)


@pytest.mark.parametrize("name", BLOCKS)
def test_schedule_of_a_published_recipe_equals_the_log(name: str, tree: Path) -> None:
    recipe, rows = (
        published_recipe(name, tree),
        [r for r in LOGGED if r["model"] == f"CLIP_{name.upper()}"],
    )
    steps = steps_per_epoch(recipe)
    assert steps == int(rows[0]["iters"]) // int(rows[0]["accum"])
    schedule = lr_schedule(recipe.lr, recipe.min_lr, total_steps(recipe), warmup_steps(recipe))
    means = schedule.reshape(recipe.epochs, steps).mean(axis=1)[: len(rows)]
    lowest = means * recipe.layer_decay ** (BLOCKS[name] + 1)
    for ours, column in ((means, "train_lr_mean"), (lowest, "train_min_lr_mean")):
        np.testing.assert_allclose(ours, [float(row[column]) for row in rows], rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "groups", "tensors", "trainable"),
    [
        ("b16", 27, 152, 85_978_600),
        ("b16_384", 28, 153, 86_860_264),
        ("l14", 51, 296, 303_602_664),
        ("l14_336", 52, 297, 304_532_456),
    ],
)
def test_published_recipe_has_the_published_groups_and_counts(
    name: str, groups: int, tensors: int, trainable: int, tree: Path
) -> None:
    recipe = published_recipe(name, tree)
    with torch.device("meta"):
        model = Classifier(create_tower(model_config(recipe.encoder.name)), CLASSES, recipe.pool)
        set_resolution(model, int(recipe.resolution))
    freeze(model, recipe.freeze)
    ours = param_groups(
        model.named_parameters(), len(model.blocks), recipe.layer_decay, recipe.weight_decay
    )
    assert (len(ours), sum(len(group.parameters) for group in ours)) == (groups, tensors)
    assert (
        count_parameters(model)["trainable"]
        == trainable_and_frozen(recipe, CLASSES)[0]
        == trainable
    )
    if name == "b16":
        assert sorted((g.lr_scale, g.weight_decay, sorted(g.parameters)) for g in ours) == (
            sorted((g["lr_scale"], g["weight_decay"], sorted(g["names"])) for g in GROUPS.values())
        )
