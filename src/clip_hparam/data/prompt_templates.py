"""Zero-shot prompts: sentences about a class for CLIP's text tower.

Source: Radford et al., "Learning transferable visual models from natural language supervision",
2021; the 80 templates and the class names of ImageNet are those of open_clip.
"""

from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

PromptFunction = Callable[[Sequence[str]], list[list[str]]]
"""Class names -> prompts of each class."""
IMAGENET_IDS = Path(__file__).parent / "folders" / "imagenet1000.txt"
"""The WordNet ids of ImageNet-1k in the order of its labels."""
DIGIT_TEMPLATES = ('a photo of the number: "{}".',)
CHARACTER_TEMPLATES = ('a photo of the character "{}".',)


def digit_prompts(classes: Sequence[str]) -> list[list[str]]:
    """Return the prompt of each digit."""
    return _filled(DIGIT_TEMPLATES, classes)


def character_prompts(classes: Sequence[str]) -> list[list[str]]:
    """Return the prompt of each digit or letter."""
    return _filled(CHARACTER_TEMPLATES, classes)


def folder_prompts(classes: Sequence[str]) -> list[list[str]]:
    """Return 80 prompts for each folder name; `_` and `-` separate its words."""
    return _filled(clip_templates(), folder_words(classes))


def imagenet_prompts(classes: Sequence[str]) -> list[list[str]]:
    """Return 80 prompts for each WordNet id of ImageNet-1k, of all classes or some."""
    return _filled(clip_templates(), imagenet_words(classes))


def folder_words(classes: Sequence[str]) -> list[str]:
    """Return the words of folder names, which `_` and `-` separate."""
    return [name.replace("_", " ").replace("-", " ") for name in classes]


def imagenet_words(classes: Sequence[str]) -> list[str]:
    """Return CLIP's name of each WordNet id of ImageNet-1k. Raises KeyError for another one."""
    names = dict(zip(imagenet_ids(), _open_clip_metadata().IMAGENET_CLASSNAMES, strict=True))
    return [names[wordnet_id] for wordnet_id in classes]


@cache
def clip_templates() -> tuple[str, ...]:
    """Return the 80 templates of CLIP for ImageNet, with {} for the class name."""
    return tuple(template("{}") for template in _open_clip_metadata().OPENAI_IMAGENET_TEMPLATES)


@cache
def imagenet_ids() -> tuple[str, ...]:
    """Return the 1,000 WordNet ids of ImageNet-1k, sorted."""
    lines = IMAGENET_IDS.read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if not line.startswith("#"))


def _filled(templates: Sequence[str], words: Sequence[str]) -> list[list[str]]:
    return [[template.replace("{}", word) for template in templates] for word in words]


@cache
def _open_clip_metadata() -> Any:
    """Return open_clip's module of constants without importing open_clip, which takes 3 s."""
    package = find_spec("open_clip")
    if package is None or package.origin is None:
        raise FileNotFoundError("open_clip is not installed: pip install open_clip_torch")
    file = Path(package.origin).with_name("zero_shot_metadata.py")
    spec = spec_from_file_location("clip_hparam_zero_shot_metadata", file)
    assert spec is not None
    assert spec.loader is not None  # true of a file that ends in .py
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
