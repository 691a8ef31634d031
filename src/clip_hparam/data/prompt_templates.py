"""Zero-shot prompts: sentences about a class for CLIP's text tower.

Source: Radford et al., "Learning transferable visual models from natural language supervision",
2021; the 80 templates and the class names of ImageNet are those of open_clip.
"""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

PromptFunction = Callable[[Sequence[str]], list[list[str]]]
"""Class names -> prompts of each class."""
IMAGENET_IDS = Path(__file__).parent / "folders" / "imagenet1000.txt"
"""The WordNet ids of ImageNet-1k in the order of its labels."""


def digit_prompts(classes: Sequence[str]) -> list[list[str]]:
    """Return the prompt of each digit."""
    return [[f'a photo of the number: "{name}".'] for name in classes]


def character_prompts(classes: Sequence[str]) -> list[list[str]]:
    """Return the prompt of each digit or letter."""
    return [[f'a photo of the character "{name}".'] for name in classes]


def folder_prompts(classes: Sequence[str]) -> list[list[str]]:
    """Return 80 prompts for each folder name; `_` and `-` separate its words."""
    return _fill_templates([name.replace("_", " ").replace("-", " ") for name in classes])


def imagenet_prompts(classes: Sequence[str]) -> list[list[str]]:
    """Return 80 prompts for each WordNet id of ImageNet-1k, of all classes or some."""
    from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES  # lazy: open_clip, 3 s

    names = dict(zip(imagenet_ids(), IMAGENET_CLASSNAMES, strict=True))
    return _fill_templates([names[wordnet_id] for wordnet_id in classes])


@cache
def imagenet_ids() -> tuple[str, ...]:
    """Return the 1,000 WordNet ids of ImageNet-1k, sorted."""
    lines = IMAGENET_IDS.read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if not line.startswith("#"))


def _fill_templates(names: Sequence[str]) -> list[list[str]]:
    from open_clip.zero_shot_metadata import OPENAI_IMAGENET_TEMPLATES  # lazy: open_clip, 3 s

    return [[template(name) for template in OPENAI_IMAGENET_TEMPLATES] for name in names]
