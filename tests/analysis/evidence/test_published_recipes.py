"""The published recipes as knobs equal the recipe files, and are shown with equal cells."""

import math

import pytest
from support.real_family import write_sweeps
from support.trial_factory import Runs

from clip_hparam.analysis.evidence.ablations import ablation_of
from clip_hparam.analysis.evidence.evidence import cell_evidence
from clip_hparam.analysis.evidence.published import L14_LADDER, PUBLISHED_SYSTEMS
from clip_hparam.analysis.evidence.published_recipes import PUBLISHED_RECIPES, published_rung
from clip_hparam.analysis.evidence.sweep_effects import sweep_effects
from clip_hparam.analysis.figures.ladder import ladder_panels
from clip_hparam.analysis.figures.published_ladder import paper_panel
from clip_hparam.analysis.frames.frame import Frames, of_family
from clip_hparam.analysis.tables.cell_table import cell_table
from clip_hparam.analysis.tables.conclusions import conclusion
from clip_hparam.cli.hydra_app.compose import compose_recipe
from clip_hparam.config.recipe import flatten

RUNGS = ("baseline", "lower_lr", "ema", "llrd", "fewer_epochs", "weak_aug", "higher_resolution")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    """Return records of a ladder and two knobs of b16 and of a ladder of l14, one seed each."""
    runs = Runs(tmp_path_factory.mktemp("real") / "runs")
    runs.folder.mkdir()
    write_sweeps(runs, "b16", ("ladder", "ema", "factorial"))
    write_sweeps(runs, "l14", ("ladder",))
    return runs.frames()


@pytest.mark.parametrize("family", PUBLISHED_RECIPES)
def test_only_the_published_rungs_are_found_among_the_recipe_files(family: str) -> None:
    found = {}
    for rung in RUNGS:
        recipe = compose_recipe([f"family={family}", f"recipe={rung}", "data=imagenet"])
        resolved = {**flatten(recipe), "data.epoch_images": 1281167}
        found[rung] = published_rung(family, resolved)
        assert published_rung(family, {**resolved, "data.epoch_images": 124155}) == ""
    assert found == {rung: rung if rung in RUNGS[-2:] else "" for rung in RUNGS}


def test_numbers_of_l14_are_those_of_the_readme() -> None:
    readme = [row.acc1 for row in PUBLISHED_SYSTEMS if row.tower == "ViT-L/14"]
    assert [row.acc1 for row in L14_LADDER] == readme == [88.0, 88.3]


def test_cell_with_the_published_recipe_has_its_number_and_the_others_none(both: Frames) -> None:
    frames = of_family(both, "b16")
    data = cell_evidence(frames, ablation_of(frames, "ema")).set_index("ema_decay")
    assert data["paper_acc1"].dropna().to_dict() == {0.9998: 85.7}
    assert data["paper_delta"].isna().all()
    shown = cell_table(frames, ablation_of(frames, "ema")).shown
    assert list(shown["paper, %"]) == ["", "", "", "85.7", ""]


def test_ladder_of_l14_has_no_number_of_b16(both: Frames) -> None:
    frames = of_family(both, "l14")
    ablation = ablation_of(frames, "ladder")
    data = cell_evidence(frames, ablation).set_index("rung")
    assert data["paper_acc1"].dropna().to_dict() == {"weak_aug": 88.0, "higher_resolution": 88.3}
    assert data["paper_delta"].dropna().to_dict() == pytest.approx({"higher_resolution": 0.3})
    panels = ladder_panels(frames, ablation)
    assert panels.paper.title == "Paper: CLIP ViT-L/14 on ImageNet-1k"
    assert panels.reference is None
    assert all(math.isnan(bar.cost) for bar in paper_panel("l14").bars)


def test_real_ladder_shows_intervals_over_images_and_no_path_in_its_title(both: Frames) -> None:
    frames = of_family(both, "b16")
    table = cell_table(frames, ablation_of(frames, "ladder"))
    assert table.title == "The fine-tuning ladder, b16"
    assert all(" ± " in text for text in table.shown["Δ to the rung before"].iloc[1:])
    panels = ladder_panels(frames, ablation_of(frames, "ladder"))
    assert panels.ours.title == "Ours: CLIP ViT-B/16 on ImageNet-1k"
    assert panels.ours.whiskers == "whiskers: 95 %, 1,597 test images, one seed"
    assert all(bar.low < bar.acc1 < bar.high for bar in panels.ours.bars)


def test_factorial_of_one_seed_has_intervals_over_paired_images(both: Frames) -> None:
    frames = of_family(both, "b16")
    sentence = conclusion(frames, ablation_of(frames, "factorial"))
    assert "one seed, over paired test images" in sentence
    assert "±" in sentence
    effects = sweep_effects(frames, ablation_of(frames, "factorial"))
    assert {effect.values for effect in effects} == {()}


def test_family_has_its_own_trials_alone(both: Frames) -> None:
    ours, others = (of_family(both, family) for family in ("b16", "l14"))
    assert set(ours.trials["encoder.name"]) == {"ViT-B-16-quickgelu"}
    assert set(others.trials["encoder.name"]) == {"ViT-L-14-quickgelu"}
    assert len(ours.trials) + len(others.trials) == len(both.trials)
    assert set(ours.epochs["trial_id"]) == set(ours.trials["trial_id"])
