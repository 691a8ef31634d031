"""Zero-shot prompts: sentences about a class for CLIP's text tower.

Source: Radford et al., "Learning transferable visual models from natural language supervision",
2021; the 80 templates and the class names of ImageNet are those of open_clip.
"""

from collections.abc import Callable, Sequence

PromptFunction = Callable[[Sequence[str]], list[list[str]]]
"""Class names -> prompts of each class."""
IMAGENET_CLASSES = 1000


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
    """Return 80 prompts for each of the 1,000 classes in the order of the sorted WordNet ids."""
    from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES  # lazy: open_clip, 3 s

    return _fill_templates(IMAGENET_CLASSNAMES)


def _fill_templates(names: Sequence[str]) -> list[list[str]]:
    from open_clip.zero_shot_metadata import OPENAI_IMAGENET_TEMPLATES  # lazy: open_clip, 3 s

    return [[template(name) for template in OPENAI_IMAGENET_TEMPLATES] for name in names]
