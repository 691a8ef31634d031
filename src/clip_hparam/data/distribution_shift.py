"""Images of the same classes from another source (`data.shift`), to measure robustness.

They are never trained on and select no epoch. A fixed half of each class may be the objective of a
search (columns `selection_shift_*`), the other half is only tested on (`test_shift_*`). Imports no
torch.
"""

import hashlib
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from clip_hparam.config.recipe import Data
from clip_hparam.config.text.override_words import format_override
from clip_hparam.data.dataset import (
    SELECTION_SHIFT,
    TEST_SHIFT,
    TEST_SPLIT_SEED,
    EvalSet,
    ImageDataset,
    ImageFiles,
    Images,
    Labels,
    split_off_test,
)
from clip_hparam.data.folders.class_folders import refuse_unknown_classes, single_image_message
from clip_hparam.data.folders.folder_notes import file_notes
from clip_hparam.data.folders.labelled_folder import read_labelled_folder
from clip_hparam.data.folders.names import listed
from clip_hparam.data.folders.split_folders import visible_folders
from clip_hparam.data.folders.split_names import split_names

PRINTED_PER_CLASS = 40  # images of a class


class ShiftImages(NamedTuple):
    """Images of a shift and their labels.

    fingerprint: sha256 that identifies both. notes: as of ImageDataset.
    """

    images: Images
    labels: Labels
    fingerprint: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shift:
    """A value of `data.shift`, its name.

    load: takes the data set and the Data of the recipe.
    usage: what to type to use it.
    """

    name: str
    load: Callable[[ImageDataset, Data], ShiftImages]
    usage: str


def with_shift(dataset: ImageDataset, data: Data, shifts: Sequence[Shift]) -> ImageDataset:
    """Return the data set with the evaluation sets of `data.shift`.

    shifts: those that the data set offers.

    Raises: ValueError for another shift and for images that do not go with the data set,
    FileNotFoundError for missing images.
    """
    if data.shift == "none":
        return _with_note_on_shift_root(dataset, data) if data.shift_root else dataset
    for shift in shifts:
        if shift.name == data.shift:
            return _with_both_halves(dataset, shift, data)
    usage = " or ".join(shift.usage for shift in shifts)
    raise ValueError(f"data.shift={data.shift} does not go with data={data.name}: try {usage}")


def _with_note_on_shift_root(dataset: ImageDataset, data: Data) -> ImageDataset:
    note = f"data.shift_root={data.shift_root} is not used: it is read with data.shift=folder"
    return replace(dataset, notes=(*dataset.notes, note))


def _with_both_halves(dataset: ImageDataset, shift: Shift, data: Data) -> ImageDataset:
    """Return the data set with both halves of the shift as evaluation sets.

    The fingerprint covers the images of the shift. Predictions on these sets are restricted to the
    classes that the shift contains.
    """
    images, labels, fingerprint, notes = shift.load(dataset, data)
    contained = np.bincount(labels, minlength=len(dataset.classes)) > 0
    halves = zip((SELECTION_SHIFT, TEST_SHIFT), split_off_test(labels, 0.5), strict=True)
    shifted = {name: EvalSet(images[index], labels[index], contained) for name, index in halves}
    combined = hashlib.sha256(f"{dataset.fingerprint} {fingerprint}".encode()).hexdigest()
    return replace(
        dataset,
        eval_sets={**dataset.eval_sets, **shifted},
        fingerprint=combined,
        notes=(*dataset.notes, *notes),
    )


@cache
def _render_printed_digits() -> ShiftImages:
    """Return digits in the typefaces held out from tiny CLIP, shape (400, 3, 32, 32).

    They are coloured, warped and noisy.
    """
    from clip_hparam.model.tiny_clip.captions import CHARACTERS
    from clip_hparam.model.tiny_clip.glyphs import render_glyph  # lazy: matplotlib, 0.1 s
    from clip_hparam.model.tiny_clip.typefaces import HELD_OUT_FACES

    first = CHARACTERS.index("0")
    labels = np.repeat(np.arange(10), PRINTED_PER_CLASS)
    glyphs = len(CHARACTERS) * np.tile(np.arange(PRINTED_PER_CLASS), 10) + first + labels
    rendered = [render_glyph(TEST_SPLIT_SEED, int(glyph), HELD_OUT_FACES).image for glyph in glyphs]
    images = np.stack(rendered).transpose(0, 3, 1, 2).copy()
    fingerprint = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    return ShiftImages(images, labels, fingerprint)


def _shift_root(classes: tuple[str, ...], data: Data) -> Path:
    root = Path(data.shift_root).expanduser()
    if not data.shift_root or not root.is_dir():
        wrong = f"data.shift_root={data.shift_root} is not a folder"
        problem = wrong if data.shift_root else "data.shift_root is not set"
        raise FileNotFoundError(
            f"{problem}: type data.shift=folder data.shift_root=PATH, where PATH holds folders"
            f" named like {classes[0]}"
        )
    return root.resolve()


def _load_folder_shift(dataset: ImageDataset, data: Data) -> ShiftImages:
    """Return the images below `data.shift_root`, which are read as those of the data set."""
    official = isinstance(dataset.train, ImageFiles) and dataset.train.official
    return _load_class_folders(_shift_root(dataset.classes, data), dataset.classes, official)


@cache
def _load_class_folders(root: Path, classes: tuple[str, ...], official: bool) -> ShiftImages:
    """Return the images of class folders; some of the classes may be missing.

    official: as for `reading.image.read_image`.

    Raises: ValueError for a folder that is not named by a class, and for a class of one image.
    """
    splits = split_names(visible_folders(root))
    if splits.is_divided:
        raise ValueError(
            f"{root} holds the splits {listed(splits.names)}, and a shift has none: try"
            f" {shlex.quote(format_override('data.shift_root', str(root / splits.names[0])))}"
        )
    folder = read_labelled_folder(root, official, least=1)
    refuse_unknown_classes(root, folder.classes, classes)
    labels = folder.labels(classes)
    for name, count in zip(classes, np.bincount(labels, minlength=len(classes)), strict=True):
        if count == 1:
            raise ValueError(single_image_message(root / name))
    return ShiftImages(folder.files, labels, folder.identity, tuple(file_notes(folder)))


PRINTED_DIGITS_SHIFT = Shift(
    name="printed",
    load=lambda dataset, data: _render_printed_digits(),
    usage="data.shift=printed",
)
FOLDER_SHIFT = Shift(
    name="folder",
    load=_load_folder_shift,
    usage="data.shift=folder data.shift_root=PATH",
)
