"""The data sets of shards, of Parquet files, and ImageNet in any of its layouts."""

from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path

from clip_hparam.data.dataset import ImageDataset
from clip_hparam.data.folders.split_folders import split_folder
from clip_hparam.data.folders.split_names import SplitRole
from clip_hparam.data.image_folder import WORDNET_ID, load_imagenet_tree
from clip_hparam.data.packs.class_index import require_names
from clip_hparam.data.packs.find_packs import holds_packs
from clip_hparam.data.packs.pack_checks import PackFormat
from clip_hparam.data.packs.packed_dataset import load_packs
from clip_hparam.data.packs.parquet.parquet_index import index_parquet
from clip_hparam.data.packs.parquet.parquet_reader import read_row
from clip_hparam.data.packs.shard_index import index_shard
from clip_hparam.data.packs.shard_reader import read_shard
from clip_hparam.data.prompt_templates import imagenet_ids

SHARDS = PackFormat(".tar", "shard", index_shard, read_shard, sized=True)
PARQUET = PackFormat(".parquet", "Parquet file", index_parquet, read_row, sized=False)
FORMATS = (SHARDS, PARQUET)
SHARDS_LAYOUT = "train-*.tar and val-*.tar in WebDataset's layout, or is a pattern of such files"
PARQUET_LAYOUT = "train-*.parquet, validation-*.parquet and test-*.parquet of Hugging Face"


@cache
def load_shards(root: Path) -> ImageDataset:
    """Return the data set of tar shards. Raises as `load_packs` does."""
    return load_packs(root, SHARDS)


@cache
def load_parquet(root: Path) -> ImageDataset:
    """Return the data set of Parquet files of Hugging Face. Raises as `load_packs` does."""
    return load_packs(root, PARQUET)


@cache
def load_imagenet(root: Path) -> ImageDataset:
    """Return ImageNet from its tree, from tar shards, or from Parquet files; val is the test set.

    The classes are WordNet ids, in all layouts.

    Raises: ValueError for another layout, FileNotFoundError if train or val is missing.
    """
    form = next((form for form in FORMATS if holds_packs(root, form.suffix)), None)
    if form is None or (root.is_dir() and _is_tree(root)):
        return load_imagenet_tree(root)
    dataset = load_packs(root, form, _wordnet_ids, official=True)
    wrong = [name for name in dataset.classes if not WORDNET_ID.fullmatch(name)]
    if wrong:
        raise ValueError(
            f"{root} has the class {wrong[0]}, which is not a WordNet id: {_other(form)}"
        )
    return dataset


def _is_tree(root: Path) -> bool:
    """Return whether train of a root holds folders; its packs are then beside the images."""
    train = split_folder(root, SplitRole.TRAIN)
    return train is not None and any(path.is_dir() for path in train.iterdir())


def _wordnet_ids(
    root: Path, labels: Collection[str], classes: Sequence[str]
) -> tuple[str, ...] | None:
    """Return the 1,000 ids if the labels are numbers, None if they are ids themselves."""
    if not all(label.isdecimal() for label in labels):
        return None
    ids = tuple(classes) if classes and all(map(WORDNET_ID.fullmatch, classes)) else imagenet_ids()
    if classes and len(classes) != len(ids):
        raise ValueError(
            f"{root} has {len(classes):,} classes, and the {len(ids):,} of ImageNet-1k are known by"
            " their numbers: try data=hf_parquet"
        )
    require_names("ImageNet-1k", labels, ids)
    return ids


def _other(form: PackFormat) -> str:
    return "try data=shards" if form is SHARDS else "try data=hf_parquet"
