"""Load the evaluation sets that the driver key `eval_sets` names."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from clip_hparam.config.knob import suggest
from clip_hparam.config.options.eval_set_words import (
    CORRUPTED_NAMES,
    CORRUPTIONS,
    EvalSetWord,
    parse_word,
)
from clip_hparam.config.text.count import counted
from clip_hparam.data.dataset import EvalSet, ImageDataset, ImageFiles
from clip_hparam.data.evaluation_sets.description import LAYOUTS
from clip_hparam.data.evaluation_sets.folder_set import load_folder_set
from clip_hparam.data.evaluation_sets.generated_sets import load_corrupted, load_glyphs
from clip_hparam.data.folders.image_check import known_unreadable

PREFIX = "eval."
"""Of the metric columns, and of the names of the sets in a loaded data set."""
GLYPHS = "glyphs"
GENERATED = (CORRUPTIONS, GLYPHS, *CORRUPTED_NAMES.values())


def with_eval_sets(dataset: ImageDataset, words: Sequence[str]) -> ImageDataset:
    """Return the data set with further evaluation sets, named "eval.NAME".

    Its fingerprint stays, as these sets change no number of the training.

    Raises: ValueError or FileNotFoundError for a set that cannot be used.
    """
    if not words:
        return dataset
    return replace(dataset, eval_sets={**dataset.eval_sets, **load_eval_sets(dataset, words)})


def load_eval_sets(dataset: ImageDataset, words: Sequence[str]) -> dict[str, EvalSet]:
    """Return the sets by "eval.NAME". Raises: as `with_eval_sets` does."""
    sets: dict[str, EvalSet] = {}
    for word in map(parse_word, words):
        for name, eval_set in _load(word, dataset).items():
            sets[f"{PREFIX}{name}"] = eval_set
    return sets


def refuse_unreadable_sets(sets: Mapping[str, EvalSet]) -> None:
    """Raise ValueError for an image of these sets that cannot be read; decodes up to 20,000."""
    for name, eval_set in sets.items():
        images = eval_set.images
        bad = known_unreadable([images]) if isinstance(images, ImageFiles) else None
        lines = list(bad[0].values()) if bad else []
        if lines:
            head = (
                f"{len(lines)} of {counted(len(images), 'image')} of eval_sets"
                f" {name.removeprefix(PREFIX)} cannot be read: repair them, or leave the set out"
            )
            raise ValueError("\n".join([head, *lines]))


def _load(word: EvalSetWord, dataset: ImageDataset) -> dict[str, EvalSet]:
    name, path = word
    if path:
        return {name: load_folder_set(name, path, dataset)}
    if name == GLYPHS:
        return {name: load_glyphs()}
    for severity, corrupted in CORRUPTED_NAMES.items():
        if name == corrupted:
            return {name: load_corrupted(dataset, severity)}
    if name == CORRUPTIONS:
        return {
            name: load_corrupted(dataset, severity) for severity, name in CORRUPTED_NAMES.items()
        }
    if name in LAYOUTS:
        raise ValueError(f"eval_sets={name} needs its images: type eval_sets=[{name}:PATH]")
    hint = suggest(name, GENERATED)
    raise ValueError(
        f"eval_sets={name} is not a set of the package: {hint}{'' if hint.endswith('?') else '.'} A"
        f" set of your own is named with its class folders: eval_sets=[{name}:PATH]"
    )
