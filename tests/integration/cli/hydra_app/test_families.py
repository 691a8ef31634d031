"""Every shipped sweep runs in every family, or names the missing family; old names keep ids."""

import re
import shutil
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest
import torch
from support import image_folders
from support.cli import ROOT, plan, sweep

from clip_hparam.cli.hydra_app.compose import compose_recipe
from clip_hparam.config.recipe import Recipe, flatten
from clip_hparam.model.architectures import model_config
from clip_hparam.model.classifier import Classifier, freeze, set_resolution
from clip_hparam.model.tower import create_tower
from clip_hparam.planning.resolve import resolve
from clip_hparam.records.manifests.manifest import read_manifests
from clip_hparam.training.optim.param_groups import param_groups

REAL_FAMILIES = ("b16", "l14")
OF_THE_MINIATURE = {
    *("landscape", "lr_with_batch_size", "pretraining", "methods", "methods_lr"),
    *(path.stem for path in (ROOT / "sweeps").glob("tune_*.yaml")),
}
RUNGS = (
    *("baseline", "lower_lr", "ema", "llrd"),
    *("fewer_epochs", "weak_aug", "higher_resolution"),
)
SWEEPS = sorted(path.stem for path in (ROOT / "sweeps").glob("*.yaml"))
GROUPS = {"b16": 27, "l14": 51}  # with a frozen patch projection, as the published logs print


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    root = image_folders.imagenet(tmp_path_factory.mktemp("families"))
    return ["encoder.pretrained=random", "data=imagenet", f"data.root={root}"]


@pytest.mark.parametrize("family", REAL_FAMILIES)
@pytest.mark.parametrize("name", SWEEPS)
def test_sweep_is_planned_in_a_real_family(
    name: str, family: str, imagenet: list[str], tmp_path: Path
) -> None:
    budget = ["budget=1000d"] if name == "study" else []
    words = (f"sweeps={name}", f"family={family}", *imagenet, *budget)
    done = plan("-m", *words, "dry_run=true", cwd=tmp_path)
    if name in OF_THE_MINIATURE:
        assert done.code == 2
        assert f"has no value for family={family}, only for tiny" in done.err
    elif name in ("controls", "heads"):  # zero-shot needs weights, which no test has
        assert done.code == 2
        assert "head_init=zero_shot needs weights with a trained text tower" in done.err
    else:
        assert done.code == 0, done.err
        assert "is the same as" not in done.out
        assert "GPU-hours" in done.out or name in ("search", "study")


@pytest.mark.parametrize("family", REAL_FAMILIES)
def test_recipes_of_a_family_have_its_tower_and_its_groups(
    family: str, imagenet: list[str]
) -> None:
    for rung in RUNGS:
        recipe = resolve(compose_recipe([f"family={family}", f"recipe={rung}", *imagenet]))
        with torch.device("meta"):
            tower = create_tower(model_config(recipe.encoder.name))
            model = Classifier(tower, 1000, recipe.pool)
            set_resolution(model, int(recipe.resolution))
        freeze(model, recipe.freeze)
        decay = (recipe.layer_decay, recipe.weight_decay)
        groups = param_groups(model.named_parameters(), len(model.blocks), *decay)
        assert len(groups) == GROUPS[family] + (recipe.freeze == "none"), rung


@pytest.mark.parametrize("family", REAL_FAMILIES)
def test_each_rung_differs_from_the_one_below(family: str) -> None:
    rungs = [compose_recipe([f"family={family}", f"recipe={rung}"]) for rung in RUNGS]
    assert all(one != other for one, other in combinations(rungs, 2))
    assert rungs[0].layer_decay == 1
    assert rungs[0].epochs == 2 * rungs[-1].epochs


@pytest.mark.parametrize(
    ("old", "family", "rung"),
    [
        ("b16", "b16", "weak_aug"),
        ("b16_384", "b16", "higher_resolution"),
        ("l14", "l14", "weak_aug"),
        ("l14_336", "l14", "higher_resolution"),
    ],
)
def test_the_chain_ends_in_the_published_recipes(old: str, family: str, rung: str) -> None:
    published = compose_recipe([f"recipe=ft_clip/{old}"])
    assert published == compose_recipe([f"family={family}", f"recipe={rung}"])
    assert published == compose_recipe([f"family={family}", f"recipe=ft_clip/{old}"])


@pytest.mark.parametrize("family", REAL_FAMILIES)
def test_lower_lr_is_the_mean_of_the_decayed_rates(family: str) -> None:
    """The recipe files state this rule."""
    lower, decayed = (compose_recipe([f"family={family}", f"recipe={r}"]) for r in ("ema", "llrd"))
    blocks = {"b16": 12, "l14": 24}[family]
    mean = decayed.lr * sum(decayed.layer_decay**k for k in range(1, blocks + 1)) / blocks
    assert lower.lr == pytest.approx(mean, rel=0.02)


@pytest.mark.parametrize(
    "words",
    [
        ["recipe=llrd"],
        ["recipe=tiny/llrd"],
        ["family=tiny", "recipe=llrd"],
    ],
)
def test_a_recipe_without_a_family_is_that_of_the_miniature(words: list[str]) -> None:
    recipe = compose_recipe(words)
    assert (recipe.encoder.name, recipe.lr, recipe.layer_decay) == ("tiny", 6e-3, 0.55)


@cache
def printed_config(*words: str, cwd: Path) -> str:
    done = sweep("--cfg", "job", *words, cwd=cwd)
    assert done.code == 0, done.err
    return done.out


@pytest.mark.parametrize(
    "words",
    [
        ["family=b16", "recipe=llrd"],
        ["recipe=b16/llrd"],
        ["recipe=llrd", "family=b16"],
        ["family=b16", "recipe=b16/llrd"],
    ],
)
def test_single_runs_and_compositions_choose_the_same_recipe(
    words: list[str], tmp_path: Path
) -> None:
    printed = printed_config(*words, cwd=tmp_path)
    recipe: Recipe = compose_recipe(words)
    for knob in ("lr", "layer_decay", "epochs"):
        assert re.search(rf"^{knob}: {flatten(recipe)[knob]}$", printed, re.MULTILINE)
    assert "name: ViT-B-16-quickgelu" in printed
    assert recipe.encoder.name == "ViT-B-16-quickgelu"


def test_a_family_alone_is_its_full_recipe(tmp_path: Path) -> None:
    assert "cutmix: 0.0" in printed_config("family=l14", cwd=tmp_path)
    assert compose_recipe(["family=l14"]) == compose_recipe(["recipe=ft_clip/l14"])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["family=b16", "recipe=tiny/llrd"], "recipe=tiny/llrd is of family=tiny"),
        (["family=l14", "recipe=ft_clip/b16"], "recipe=ft_clip/b16 is of family=b16"),
        (["family=b16", "recipe=default"], "recipe=default is of family=tiny"),
        (["family=b17"], "b17"),
        (["-m", "family=tiny,b16"], "family=tiny,b16 names several families"),
    ],
)
def test_contradicting_words_are_refused_in_a_sentence(
    words: list[str], sentence: str, tmp_path: Path
) -> None:
    done = plan(*words, cwd=tmp_path)
    assert done.code == 2
    assert sentence in done.err
    assert "Traceback" not in done.err


def test_own_recipe_of_a_family_needs_the_family(tmp_path: Path) -> None:
    (tmp_path / "conf/recipe").mkdir(parents=True)
    text = "# @package _global_\ndefaults: [/recipe/b16/llrd, _self_]\nlr: 1e-4\n"
    (tmp_path / "conf/recipe/mine.yaml").write_text(text)
    words = (f"--config-dir={tmp_path / 'conf'}", "--cfg", "job", "recipe=mine")
    done = plan(*words[:1], "-m", "recipe=mine", "dry_run=true", cwd=tmp_path)
    assert done.code == 2
    assert "recipe=mine holds values of family=b16" in done.err
    assert "add family=b16" in done.err
    chosen = plan(*words, "family=b16", cwd=tmp_path)
    assert "name: ViT-B-16-quickgelu" in chosen.out
    assert "lr: 0.0001" in chosen.out


def test_own_recipe_with_a_parent_of_the_old_layout_gets_the_new_name(tmp_path: Path) -> None:
    (tmp_path / "conf/recipe").mkdir(parents=True)
    text = "# @package _global_\ndefaults: [weak_aug, _self_]\nlr: 1e-4\n"
    (tmp_path / "conf/recipe/mine.yaml").write_text(text)
    done = plan(f"--config-dir={tmp_path / 'conf'}", "recipe=mine", cwd=tmp_path)
    assert done.code == 2
    assert "write /recipe/tiny/weak_aug in its defaults" in done.err


def test_a_real_family_starts_only_with_consent(imagenet: list[str], tmp_path: Path) -> None:
    words = ("-m", "sweeps=lr", "family=b16", *imagenet)
    refused = plan(*words, cwd=tmp_path)
    assert refused.code == 2
    assert "plan of lr" in refused.out
    assert "add budget=TIME (such as budget=2d), or confirm=true" in refused.err
    too_small = plan(*words, "budget=1h", "hydra/launcher=submitit_slurm", cwd=tmp_path)
    assert too_small.code == 2
    assert "budget=1h is less than the predicted" in too_small.err
    assert not (tmp_path / "runs").exists()


def test_a_design_for_another_family_than_its_recipe_is_refused(
    imagenet: list[str], tmp_path: Path
) -> None:
    (tmp_path / "conf/recipe").mkdir(parents=True)
    text = "# @package _global_\ndefaults: [/recipe/ft_clip/b16, _self_]\nlr: 1e-4\n"
    (tmp_path / "conf/recipe/mine.yaml").write_text(text)
    words = (f"--config-dir={tmp_path / 'conf'}", "-m", "sweeps=layer_decay", "recipe=mine")
    done = plan(*words, *imagenet, "dry_run=true", cwd=tmp_path)
    assert done.code == 2
    assert "is planned for family=tiny, and the recipe holds values of family=b16" in done.err


def test_the_manifest_keeps_the_family(imagenet: list[str], tmp_path: Path) -> None:
    words = ("family=b16", "encoder=tiny", "data=digits", "epochs=1", "lr=1e-3,2e-3")
    small = ("resolution=32", "batch_size=25", "data.epoch_images=25", "rand_augment=none")
    fast = ("precision=fp32", "ema_decay=0", "data.shots=3", "data.selection=3")
    done = sweep("-m", *words, *small, *fast, "confirm=true", cwd=tmp_path)
    assert done.code == 0, done.err
    (manifest,) = read_manifests(tmp_path / "runs")
    assert (manifest.family, manifest.name) == ("b16", "lr")


@pytest.mark.parametrize("word", ["sweeps=lr", "recipe=llrd", "recipe=ema,llrd"])
def test_own_file_with_the_name_of_a_shipped_one_is_refused(word: str, tmp_path: Path) -> None:
    group, _, names = word.partition("=")
    own = tmp_path / "mine" / group / f"{names.rpartition(',')[2]}.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("# @package _global_\nlr: 0.5\n")
    done = plan("--config-dir", "mine", "-m", word, "dry_run=true", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert f"{own.relative_to(tmp_path)} is not read, because {group}=" in done.err


def test_a_copy_of_the_shipped_files_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "mine" / "sweeps").mkdir(parents=True)
    shutil.copy(ROOT / "sweeps" / "lr.yaml", tmp_path / "mine" / "sweeps")
    done = plan("--config-dir", "mine", "-m", "sweeps=lr", "dry_run=true", cwd=tmp_path)
    assert done.code == 0, done.err
