"""Prompts of a class are those of CLIP's paper, or of an encoder with its own vocabulary."""

import pytest
from timm.data import ImageNetInfo

from clip_hparam.data.prompt_templates import imagenet_ids
from clip_hparam.data.prompts.dataset_prompts import class_prompts

NAME = "ViT-S-32"
CLASSES = ("a_cat", "dog", "zebra-fish")


def test_folder_names_fill_the_80_templates_of_clip() -> None:
    cat_prompts = class_prompts("folder", NAME, CLASSES)[0]
    assert len(cat_prompts) == 80
    assert "a photo of a a cat." in cat_prompts


def test_imagenet_prompts_use_the_class_names_of_open_clip() -> None:
    first, *_, last = class_prompts("imagenet", NAME, imagenet_ids())
    assert "a photo of a tench." in first
    assert "a photo of a toilet paper." in last


def test_ids_of_imagenet_are_those_of_timm_in_the_order_of_the_labels() -> None:
    assert list(imagenet_ids()) == ImageNetInfo().label_names()


@pytest.mark.parametrize("labels", [(5, 999), (0, 1, 2), (998,)])
def test_prompts_of_a_subset_are_those_of_its_classes_among_all(labels: tuple[int, ...]) -> None:
    every = class_prompts("imagenet", NAME, imagenet_ids())
    subset = class_prompts("imagenet", NAME, [imagenet_ids()[label] for label in labels])
    assert subset == [every[label] for label in labels]


def test_digit_prompts_mention_the_number() -> None:
    assert class_prompts("digits", NAME, "07")[1] == ['a photo of the number: "7".']


def test_tiny_clip_uses_its_own_prompts_for_any_dataset() -> None:
    for name in ("digits", "folder"):
        (prompts,) = class_prompts(name, "tiny", "7")
        assert "the digit 7" in prompts
