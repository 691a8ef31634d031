"""Zero-shot prompts that a data set and an encoder bring, before those of files."""

from collections.abc import Sequence

from clip_hparam.config.recipe import Data
from clip_hparam.data.datasets import all_classes, dataset_spec, load_dataset
from clip_hparam.model.architectures import encoder_spec


def tiny_prompts(data: Data) -> list[list[str]] | None:
    """Return the prompts of each class for tiny CLIP; None if its accuracy is not recorded."""
    spec = dataset_spec(data.name)
    if spec.tiny_prompts is None:
        return None
    by_name = dict(zip(all_classes(data), spec.tiny_prompts, strict=True))
    return [by_name[name] for name in load_dataset(data).classes]


def class_prompts(data: str, encoder: str, classes: Sequence[str]) -> list[list[str]]:
    """Return the zero-shot prompts of each class of the data set named `data`.

    An encoder with a closed vocabulary brings its own prompts.
    """
    prompts_of = encoder_spec(encoder).prompts
    if prompts_of is not None:
        return [prompts_of(name) for name in classes]
    return dataset_spec(data).prompts(classes)
