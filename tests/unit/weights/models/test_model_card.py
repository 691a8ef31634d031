"""The model card describes loading, evidence and each file."""

from typing import Any

import pytest

from clip_hparam.weights.models.model_card import model_card

RECIPE: dict[str, Any] = {
    "encoder.name": "tiny",
    "encoder.weights": "ab" * 32,
    "data.name": "digits",
    "data.fingerprint": "cd" * 32,
    "pool": "patch_mean",
    "resolution": 48,
}
FACTS: dict[str, Any] = {
    "trial_id": "0123456789ab",
    "weights": "ema",
    "epoch": "selected",
    "classes": ["0", "1"],
    "recipe": RECIPE,
    "metrics": {"test_acc1.ema.selected": 97.25, "test_loss.ema.selected": None},
}


def test_card_has_recipe_evidence_data_and_metrics() -> None:
    card = model_card(FACTS, ["Cell llrd of sweep ladder: 97.1 %.", "Exported is seed 3."])
    assert card.startswith("# tiny fine-tuned on digits\n")
    for part in (
        "the ema weights of the selected epoch of\ntrial 0123456789ab",
        "Cell llrd of sweep ladder: 97.1 %.\nExported is seed 3.",
        "| test_acc1.ema.selected | 97.25 |",
        "| test_loss.ema.selected | unknown |",
        f"Fingerprint of digits: `{'cd' * 32}`",
        '"resolution": 48',
        'timm.create_model("local-dir:FOLDER", pretrained=True)',
        'open_clip.add_model_config("FOLDER/open_clip_tower.json")',
    ):
        assert part in card, part


def test_card_of_own_images_names_their_classes_in_the_title() -> None:
    recipe = {**RECIPE, "data.name": "folder"}
    card = model_card({**FACTS, "recipe": recipe, "classes": ["cat", "dog"]})
    assert card.startswith("# tiny fine-tuned on images of cat, dog\n")


@pytest.mark.parametrize(("classes", "shown"), [(5, False), (6, True)])
def test_card_has_acc5_only_with_more_than_five_classes(classes: int, shown: bool) -> None:
    facts = {"classes": list("abcdef"[:classes]), "metrics": {"test_acc5.ema.selected": 99.0}}
    assert ("test_acc5" in model_card({**FACTS, **facts})) == shown


def test_single_trial_claims_no_interval() -> None:
    assert "there is no interval over seeds" in model_card(FACTS)


@pytest.mark.parametrize(("pool", "has_timm"), [("clip", False), ("cls", True)])
def test_card_of_pool_clip_offers_no_file_for_timm(pool: str, has_timm: bool) -> None:
    card = model_card({**FACTS, "recipe": {**RECIPE, "pool": pool}})
    assert ("import timm" in card) == has_timm
