"""Effects of a screening: on the selection set, with the known interaction, and their margin."""

import math

import pytest
from support.study_factory import IMAGES, write_screening
from support.trial_factory import Edit, Runs

from clip_hparam.analysis.evidence.ablations import ablation_of
from clip_hparam.analysis.evidence.studies.screening import Screening, screening_of
from clip_hparam.analysis.evidence.sweep_effects import sweep_effects
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.manifests import newest_by_name
from clip_hparam.analysis.tables.conclusions import conclusion
from clip_hparam.records.atomic import write_json
from clip_hparam.records.paths import campaign_folder


def screening(frames: Frames) -> Screening | None:
    return screening_of(frames, newest_by_name(frames.sweeps)["small_screening"])


def test_effects_are_those_on_the_selection_set(runs: Runs) -> None:
    write_screening(runs)
    found = screening(runs.frames())
    assert found is not None
    assert [effect.name for effect in found.effects if effect.stands_out] == [
        "lr:layer_decay",
        "mixup",
    ]
    assert found.effects[0].points == pytest.approx(-4, abs=0.2)
    assert found.mains["mixup"].points == pytest.approx(3, abs=0.2)
    assert abs(found.mains["crop_scale"].points) < found.margin < 0.3
    assert (found.cells, found.seeds, found.images) == (16, 3, IMAGES["selection"])
    assert found.resolution == pytest.approx(2 * 200 * math.sqrt(0.8 * 0.2 / (200 * 48)), rel=0.05)


def test_one_seed_has_a_margin_from_the_effects(runs: Runs) -> None:
    write_screening(runs, seeds=[50])
    found = screening(runs.frames())
    assert found is not None
    assert found.seeds == 1
    assert "one seed" in found.method
    assert "mixup" in [effect.name for effect in found.effects if effect.stands_out]


def test_missing_run_leaves_no_effect(runs: Runs) -> None:
    write_screening(runs)
    next(runs.folder.glob("*/result.json")).unlink()
    assert screening(runs.frames()) is None


def test_record_without_counts_has_no_resolution(runs: Runs, edit: Edit) -> None:
    write_screening(runs)
    for path in runs.folder.glob("*/result.json"):
        edit(path, lambda tree: tree.pop("images"))
    found = screening(runs.frames())
    assert found is not None
    assert found.images == 0
    assert math.isnan(found.resolution)


def test_report_of_a_screening_shows_the_effects_that_chose_the_knobs(runs: Runs) -> None:
    write_screening(runs)
    test_set = ablation_of(runs.frames(), "small_screening")
    assert test_set.metric == "test_acc1"  # no study of this name
    write_json(campaign_folder(runs.folder, "small") / "decisions.json", {})
    frames = runs.frames()
    ablation = ablation_of(frames, "small_screening")
    assert ablation.metric == "selection_acc1"
    found = sweep_effects(frames, ablation)
    effects = {frozenset(effect.label.split(":")): effect.estimate for effect in found}
    assert effects[frozenset(["lr", "layer_decay"])].mean == pytest.approx(-4, abs=0.2)
    assert abs(effects[frozenset(["crop_scale"])].mean) < 0.3
    sentence = conclusion(frames, ablation)
    assert "points of selection accuracy" in sentence
    assert "test accuracy" not in sentence
