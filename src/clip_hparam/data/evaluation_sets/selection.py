"""The selection set that `data.selection` and `data.selection_root` choose for a data set."""

import hashlib
from dataclasses import replace
from functools import cache

from clip_hparam.config.knob import AUTO
from clip_hparam.config.recipe import Data
from clip_hparam.data.dataset import SELECTION, TRAIN, ImageDataset
from clip_hparam.data.evaluation_sets.own_selection import with_own_selection


def with_selection(dataset: ImageDataset, data: Data) -> ImageDataset:
    """Return the data set with the selection set of the recipe, or without one if it is drawn.

    Raises: ValueError if `data.selection` and `data.selection_root` contradict each other, or ask
    for a selection set that does not exist; else as `with_own_selection` does.
    """
    return _chosen(_with_root(dataset, data), data)


def _with_root(dataset: ImageDataset, data: Data) -> ImageDataset:
    """Return the data set with the selection set of `data.selection_root`, if there is one.

    Raises: ValueError if `data.selection` draws another one; else as `with_own_selection` does.
    """
    if not data.selection_root:
        return dataset
    if data.selection not in (AUTO, 0):
        raise ValueError(
            f"data.selection_root={data.selection_root} is a selection set, and"
            f" data.selection={data.selection:g} draws another one: type data.selection=0"
        )
    return with_own_selection(dataset, data.selection_root)


@cache
def _chosen(dataset: ImageDataset, data: Data) -> ImageDataset:
    """Return the data set with its own selection set, or without it if `data.selection` draws one.

    Raises: ValueError if `data.selection=0` asks for a selection set that does not exist.
    """
    own = dataset.eval_sets.get(SELECTION)
    if data.selection == 0 and own is None:
        raise ValueError(
            f"data.selection=0 asks for a selection set of its own, and data={data.name} has none"
            f"{f' in {data.root} (folders train, val and test)' if data.root else ''}: try"
            " data.selection=0.1"
        )
    if own is None:
        return dataset
    if data.selection in (AUTO, 0):
        combined = f"{dataset.fingerprint} selection {dataset.selection_fingerprint}"
        return replace(dataset, fingerprint=hashlib.sha256(combined.encode()).hexdigest())
    note = f"{dataset.sources[SELECTION]} is not used: data.selection={data.selection:g} draws the"
    return replace(
        dataset,
        eval_sets={name: images for name, images in dataset.eval_sets.items() if name != SELECTION},
        sources={name: source for name, source in dataset.sources.items() if name != SELECTION},
        notes=(*dataset.notes, f"{note} selection set from {dataset.sources[TRAIN]}"),
    )
