"""head_init=zero_shot is refused at plan time where a class has no words for a prompt."""

import pytest

from clip_hparam.config.recipe import Recipe, with_values
from clip_hparam.data.folders.class_subset import LISTS
from clip_hparam.data.prompt_templates import imagenet_ids
from clip_hparam.planning import class_names
from clip_hparam.planning.class_names import validate_class_names

IMAGENET100 = [
    line for line in LISTS["imagenet100"].read_text().splitlines() if not line.startswith("#")
]


@pytest.fixture(autouse=True)
def _no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_names, "validate_part", lambda encoder, part: None)


def validate(data: str, classes: list[str], encoder: str = "ViT-B-16") -> None:
    changes = {"head_init": "zero_shot", "pool": "clip", "encoder.name": encoder, "data.name": data}
    recipe = with_values(Recipe(), {**changes, "encoder.pretrained": "openai"})
    validate_class_names(recipe, classes)


@pytest.mark.parametrize(
    "classes",
    [list(imagenet_ids()), sorted(IMAGENET100), ["n01440764", "n15075141"]],
    ids=["all", "imagenet100", "two"],
)
def test_all_classes_of_imagenet_and_any_subset_have_prompts(classes: list[str]) -> None:
    validate("imagenet", classes)


@pytest.mark.parametrize("classes", [["n01440764", "n00000001"], ["n00000001"] * 1000])
def test_an_id_that_is_no_class_of_imagenet_is_named(classes: list[str]) -> None:
    with pytest.raises(ValueError, match=r"prompts for 1,000 classes, and n00000001.* not among"):
        validate("imagenet", classes)


def test_folder_names_that_are_wordnet_ids_are_no_words_for_a_prompt() -> None:
    with pytest.raises(
        ValueError, match=r"the folder n01440764 as a word, .* WordNet id: try data=imagenet"
    ):
        validate("folder", ["n01440764", "n01443537"])
    validate("folder", ["tench", "goldfish"])


def test_an_encoder_with_its_own_prompts_names_missing_classes() -> None:
    problem = r"encoder\.name=tiny has no prompts for cat, dog, only.* or .* encoder=clip_b16"
    with pytest.raises(ValueError, match=problem):
        validate("folder", ["7", "cat", "dog"], encoder="tiny")
